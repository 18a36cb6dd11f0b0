"""`football health`: check whether the servers of this machine respond."""

import click


@click.command("health")
def health_command() -> None:
    """Check the servers that run on this machine. The container images use it as their health check.

    Finds Dagster's webserver, daemon and code location and the HTTP endpoint among the running processes. Exits with 1
    if one of them does not respond.
    """
    from football_assets.errors import FootballError
    from football_assets.runtime.health import problem_of, running_servers
    from football_assets.settings import get_settings

    problems = []
    for server in running_servers(get_settings().serve_port):
        problem = problem_of(server)
        click.echo(f"{server}: {problem or 'healthy'}", err=problem is not None)
        if problem is not None:
            problems.append(f"{server} {problem}")
    if problems:
        raise FootballError(f"{'; '.join(problems)}.")
