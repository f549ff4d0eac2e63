"""The commands of the web service: `serve`, `worker`, `person`.

What only they need is imported inside them: every other command starts a quarter faster for it.
"""

import os
from pathlib import Path
from typing import Final

import click

from formsvc.errors import Refused
from formsvc.model.kinds import LANGS, Lang
from formsvc.model.people import ROLES, Role
from formsvc.office.office import open_office
from formsvc.parsers.sandbox import self_test
from formsvc.settings import settings
from formsvc.store.people import find_person

_EVERYWHERE: Final = {"0.0.0.0": "127.0.0.1", "[::]": "[::1]", "::": "[::1]", "": "127.0.0.1"}  # noqa: S104  (only recognised)


def own_address(host: str, port: int) -> str:
    """The address that a browser here reaches a server at; one that listens everywhere is reached as this computer."""
    return f"http://{_EVERYWHERE.get(host, host)}:{port}"


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535), help="The port to listen on.")
@click.option("--servers", type=click.IntRange(1, 64), help="Processes that answer pages; by default three times the processors.")
@click.option("--workers", type=click.IntRange(0, 64), help="Processes that work in the background; by default one for each processor. 0: they run elsewhere (formsvc worker).")
@click.option("--wall/--no-wall", default=None, help="Run all of it behind bubblewrap: nothing can be written but its own data. By default where bubblewrap can be used.")
@click.option("--sample", is_flag=True, help="First lay a sample agency with people to sign in as; only into an installation without data.")
def serve(host: str, port: int, servers: int | None, workers: int | None, *, wall: bool | None, sample: bool) -> None:
    """Start the web service with its workers; Ctrl+C ends it when the work in hand is done."""
    from formsvc.web.wall import is_wanted, run_behind  # noqa: PLC0415

    is_walled = is_wanted(wall)
    os.environ.setdefault("FORMSVC_URL", own_address(host, port))  # one-time links begin with it; what is started below reads it
    office = open_office(settings())
    count = os.cpu_count() or 2
    if sample:
        from formsvc.web.sample import SAMPLE_PASSWORD, lay_sample  # noqa: PLC0415

        people = lay_sample(office)
        click.echo(f"Sample people, all with the password “{SAMPLE_PASSWORD}”: {', '.join(people)}.")
    if is_walled:
        office.store.engine.dispose()
        more = [part for name, number in (("--servers", servers), ("--workers", workers)) if number is not None for part in (name, str(number))]
        raise SystemExit(run_behind(settings(), ["serve", "--no-wall", "--host", host, "--port", str(port), *more]))
    click.echo(f"Files from outside are read behind: {_layers()}.")
    click.echo(f"formsvc: http://{host}:{port}/  (Ctrl+C ends it)")
    office.store.engine.dispose()
    from formsvc.web.serving import serve_all  # noqa: PLC0415

    serve_all(settings(), host=host, port=port, servers=servers or 3 * count, workers=count if workers is None else workers)


@click.command(hidden=True)
@click.option("--host", required=True)
@click.option("--port", type=int, required=True)
@click.option("--servers", type=int, required=True)
@click.option("--parent", type=int)
def pages(host: str, port: int, servers: int, parent: int | None) -> None:
    """Answer pages only; `serve` starts this."""
    if parent is not None and os.getppid() != parent:
        raise click.UsageError("formsvc serve starts this")
    from formsvc.web.serving import serve_pages  # noqa: PLC0415

    serve_pages(settings(), host=host, port=port, servers=servers)


def _layers() -> str:
    """The limits of readers that hold on this machine, tried now; what does not hold is told as such."""
    found = self_test()
    held = [name for name, holds in found.items() if holds is True]
    open_ones = [name for name, holds in found.items() if name != "around" and holds is not True]
    around = f", inside {found['around']}" if found.get("around") else ""
    return f"limits on {', '.join(held)}{around}" + (f"; NOT limited here: {', '.join(open_ones)}" if open_ones else "")



@click.command()
@click.option("--name", help="How this worker is called in the store; by default its process number.")
@click.option("--parent", type=int, hidden=True)
def worker(name: str | None, parent: int | None) -> None:
    """Work in the background until told to stop (SIGTERM): uploads, papers, packets."""
    from formsvc.jobs.worker import run_worker  # noqa: PLC0415

    done = run_worker(open_office(settings()), name, parent=parent)
    click.echo(f"{done} jobs done.", err=True)


@click.command()
@click.argument("name")
@click.option("--role", "roles", multiple=True, type=click.Choice(ROLES), help="A role; may be given several times. By default administrator.")
@click.option("--shown", default="", help="How the person is called on pages.")
@click.option("--lang", type=click.Choice(LANGS), default="en", help="The language of their pages.")
@click.option("--link-out", type=click.Path(path_type=Path, dir_okay=False), help="Write the one-time link to this new file instead of the terminal.")
def person(name: str, roles: tuple[Role, ...], shown: str, lang: Lang, link_out: Path | None) -> None:
    """Let NAME sign in, or give them a new one-time link; the first administrator begins here."""
    office = open_office(settings())
    with office.store.reading() as connection:
        known = find_person(connection, name)
    from formsvc.office.people import invite, new_link  # noqa: PLC0415

    secret = new_link(office, known.id) if known else invite(office, name, shown=shown, roles=roles or ("administrator",), lang=lang)[1]
    link = f"{settings().url}/link/{secret}"
    click.echo(f"The link begins with {settings().url}; set FORMSVC_URL if people type another address.", err=True)
    if link_out is None:
        click.echo(f"One-time link for {name}, good for three days. Give it to nobody else:\n{link}")
        return
    if link_out.exists():
        raise Refused("file-exists", str(link_out))
    link_out.touch(mode=0o600)
    link_out.write_text(link + "\n", encoding="ascii")
    click.echo(f"{link_out}: the one-time link for {name}.")
