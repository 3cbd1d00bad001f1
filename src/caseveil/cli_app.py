"""The command `app`."""

from __future__ import annotations

import signal
import tempfile
import webbrowser
from importlib import resources
from pathlib import Path

import click

from caseveil.cli_terminal import Terminal, shared
from caseveil.errors import OutputError


@click.command()
@click.option("--native", is_flag=True, help="Run the engine on this computer and not in the browser: faster.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Port on this computer; 0: any."
)
@click.option("--no-open", is_flag=True, help="Do not open the browser; the address is shown.")
@shared
def app(native: bool, port: int, no_open: bool, quiet: bool, as_json: bool) -> None:
    """Open the steward's application: from a file to a release, in the browser.

    Serves the application on this computer alone (127.0.0.1) until Ctrl+C. Data never leave it: without --native the
    engine runs inside the browser, with --native beside it, which is several times faster and takes larger files.

    \b
    Example:  caseveil app --native
    """
    from caseveil.web.server import Server

    terminal = Terminal(json=as_json, quiet=quiet)
    with resources.as_file(resources.files("caseveil.web")) as package:
        site = package / "site"
        if not (site / "index.html").is_file():
            raise OutputError(
                "the pages of the application are not in this copy of Caseveil: in a folder of its source, run make web"
            )
        server = Server(site, port=port, native=native)
        terminal.say(f"The application is at  {server.address}", "Stop it with Ctrl+C.")
        terminal.document({"address": server.address, "native": native})
        with tempfile.TemporaryDirectory(prefix="caseveil-") as folder:
            try:
                if not no_open:
                    _open(server.address, Path(folder))
                signal.signal(signal.SIGTERM, _stop)
                server.serve_forever()
            except KeyboardInterrupt:
                terminal.say("Stopped.")
            finally:
                server.close()


def _stop(*_: object) -> None:
    """Ends as Ctrl+C does, so that nothing stays behind."""
    raise KeyboardInterrupt


def _open(address: str, folder: Path) -> None:
    """Opens the browser. The address goes through a file that only its owner can read: what is on a command line, every
    user of the computer can see."""
    page = folder / "open.html"
    page.touch(mode=0o600)
    page.write_text(
        f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={address}">'
        f'<a href="{address}">Caseveil</a>\n',
        encoding="utf-8",
    )
    webbrowser.open(page.as_uri())
