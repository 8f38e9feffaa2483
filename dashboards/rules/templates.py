"""Texts of notifications, in Grafana's template language, in both languages."""

from __future__ import annotations

from typing import Final

# Words of one language: what fires, what is over, signs, message, what to do, console.
_WORDS: Final = {
    "id": ("AKTIF", "SELESAI", "Rambu di hulu", "Pesan yang disetujui", "Tindakan", "Konsol"),
    "en": ("FIRING", "RESOLVED", "Signs upstream", "Approved message", "What to do", "Console"),
}


def _template(language: str) -> str:
    fires, over, signs, message, todo, console = _WORDS[language]
    return f"""{{{{ define "subak.title.{language}" }}}}\
{{{{ if eq .Status "firing" }}}}{fires}{{{{ else }}}}{over}{{{{ end }}}}: \
{{{{ len .Alerts }}}} × {{{{ .CommonLabels.alertname }}}}{{{{ end }}}}
{{{{ define "subak.message.{language}" }}}}{{{{ range .Alerts }}}}\
[{{{{ if eq .Status "firing" }}}}{fires}{{{{ else }}}}{over}{{{{ end }}}}] {{{{ .Annotations.summary_{language} }}}}
{{{{ if .Annotations.signs }}}}{signs}: {{{{ .Annotations.signs }}}}
{message}: {{{{ .Annotations.message }}}} ({{{{ .Annotations.message_text }}}})
{{{{ end }}}}{todo}: {{{{ .Annotations.todo_{language} }}}}
{console}: {{{{ .Annotations.console }}}}
{{{{ end }}}}{{{{ end }}}}
"""


TEMPLATES: Final = {f"subak-{language}": _template(language) for language in _WORDS}
