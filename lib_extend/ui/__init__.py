"""The tab and the standalone page: what Gradio needs to know of them. All else is in `lib_extend/web`."""
