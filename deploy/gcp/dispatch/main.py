"""A Cloud Function that tells the repository when results land or a model version is registered.

It only starts workflows that validate and report. Dagster's sensors process the same objects without it.
"""

import os

import functions_framework
from cloudevents.http import CloudEvent
from notification import event_of, send


@functions_framework.cloud_event
def dispatch(event: CloudEvent) -> None:
    """Handle `google.cloud.storage.object.v1.finalized`. An exception makes Eventarc deliver the event again."""
    prefix = os.environ.get("BUCKET_PREFIX", "")
    name = str(event.data["name"])
    if not name.startswith(prefix):
        return
    found = event_of(name.removeprefix(prefix), str(event.data["generation"]))
    if found is not None:
        send(
            found,
            api=os.environ.get("GITHUB_API", "https://api.github.com"),
            repository=os.environ["GITHUB_REPOSITORY"],
            token=os.environ["GITHUB_TOKEN"].strip(),
        )
