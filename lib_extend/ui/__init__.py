"""The tab and the standalone page: their Gradio part. The page itself is in `lib_extend/web`."""
