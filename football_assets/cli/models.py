"""`football models`: versions of the registry and their aliases."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from football_assets.cli.context import open_registry, prepare_command_home
from football_assets.cli.exit_codes import EXIT_FAILURE
from football_assets.cli.options import home_option
from football_assets.errors import FootballError, RegistryError
from football_assets.storage.model_files import MODEL_CARD

if TYPE_CHECKING:
    from football_assets.registry.signing import ModelSignature
    from football_assets.registry.store import Registry


@click.group("models", invoke_without_command=True)
@home_option
@click.pass_context
def models_group(context: click.Context) -> None:
    """List, show, promote, roll back, sign or verify model versions. Without a command: list."""
    if context.invoked_subcommand is None:
        context.invoke(list_models)


@models_group.command("list")
@home_option
def list_models() -> None:
    """List the versions with their aliases, the gate's decisions and their sizes. Signatures are not verified."""
    registry = open_registry(prepare_command_home())
    from football_assets.cli.tables import results_console, rows_table

    aliases = registry.aliases()
    rows = []
    for version in registry.versions():
        manifest = registry.manifest(version)
        decision = registry.decision(version)
        rows.append(
            (
                version,
                ", ".join(alias for alias, target in aliases.items() if target == version),
                f"{manifest.published:%Y-%m-%d %H:%M} UTC",
                "" if decision is None else "accepted" if decision.get("accepted") else "rejected",
                f"{sum(file.bytes for file in manifest.files.values()) / 1e6:.1f} MB",
            )
        )
    if not rows:
        raise FootballError(
            f"No model version is registered in {registry.bucket.url}: run `football materialize`."
        )
    results_console().print(rows_table(("version", "alias", "published", "gate", "size"), rows))


@models_group.command("show")
@home_option
@click.argument("version", default="production")
def show_model(version: str) -> None:
    """Show the model card of a VERSION: a number, or production (the default), candidate or previous."""
    registry = open_registry(prepare_command_home())
    from rich.markdown import Markdown

    from football_assets.cli.tables import results_console

    stored = registry.open(version)
    decision = registry.decision(stored.number)
    results_console().print(Markdown(stored.read(MODEL_CARD).decode()))
    for reason in decision["reasons"] if decision else ():
        click.echo(f"gate: {reason}")


@models_group.command("promote")
@home_option
@click.argument("version")
def promote_model(version: str) -> None:
    """Make VERSION, a number or an alias, the production version, regardless of the gate's decision."""
    registry = open_registry(prepare_command_home())
    _echo_aliases(registry.promote(registry.resolve(version)))


@models_group.command("rollback")
@home_option
def roll_back() -> None:
    """Make the previous production version production again."""
    _echo_aliases(open_registry(prepare_command_home()).rollback())


@models_group.command("verify")
@home_option
@click.argument("versions", nargs=-1)
def verify_models(versions: tuple[str, ...]) -> int:
    """Verify the signatures of VERSIONS, numbers or aliases. Default: every version with an alias.

    The accepted signers are those of FOOTBALL_VERIFY_KEYS and FOOTBALL_SIGSTORE_IDENTITY. Exits with 1 if none is
    configured, or if a version is missing or not signed by one of them; all other versions are still verified.
    """
    registry = open_registry(prepare_command_home())
    if not registry.policy.verifies:
        raise FootballError(
            "Signatures cannot be verified, since no signer is accepted: set FOOTBALL_VERIFY_KEYS, or "
            "FOOTBALL_SIGSTORE_IDENTITY and FOOTBALL_SIGSTORE_ISSUER."
        )
    registry.policy.check()
    has_failed = False
    for version in _numbers(registry, versions):
        try:
            signature = registry.signature(version)
        except RegistryError as error:
            has_failed = True
            click.echo(f"Version {version}: {error}", err=True)
        else:
            click.echo(f"Version {version}: {signature.status}" + _signer(signature))
    return EXIT_FAILURE if has_failed else 0


@models_group.command("sign")
@home_option
@click.argument("versions", nargs=-1)
def sign_models(versions: tuple[str, ...]) -> None:
    """Sign registered VERSIONS, numbers or aliases. Default: every version with an alias.

    An existing signature must be valid. While a key is replaced, FOOTBALL_VERIFY_KEYS must name both keys.
    """
    registry = open_registry(prepare_command_home())
    for version in _numbers(registry, versions):
        signature = registry.sign(version)
        click.echo(f"Version {version} is signed" + _signer(signature))


def _numbers(registry: "Registry", versions: tuple[str, ...]) -> list[int]:
    """Return the numbers of versions, or of every version with an alias.

    Raises
    ------
    FootballError
        There is no such version or alias, or no version has an alias.
    """
    numbers = {registry.resolve(version) for version in versions} or {*registry.aliases().values()}
    if not numbers:
        raise FootballError(f"No model version in {registry.bucket.url} has an alias: name a version.")
    return sorted(numbers)


def _signer(signature: "ModelSignature") -> str:
    return f" by {signature.signed_by}" if signature.signed_by else ""


def _echo_aliases(aliases: Mapping[str, int]) -> None:
    click.echo(", ".join(f"{alias}: version {version}" for alias, version in aliases.items()))
