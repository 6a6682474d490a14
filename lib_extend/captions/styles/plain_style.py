"""Tags, people first; ratings last."""

from lib_extend.captions.style import Style

STYLE = Style("plain", "Plain", "2girls, hatsune miku, black hair, indoors")
