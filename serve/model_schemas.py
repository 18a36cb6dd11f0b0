"""The answer of `/model`."""

from datetime import date

from pydantic import BaseModel, Field

from football_assets.registry.signing import SignatureStatus


class SignatureAnswer(BaseModel):
    """The signature of a model version."""

    status: SignatureStatus = Field(
        description="`verified`: by a signer that this server accepts; `unverified`: signed, and this server has no "
        "key to verify it with; `unsigned`."
    )
    signed_by: str | None = Field(
        description="The signer if verified: `key` and the SHA-256 digest of the public key, or an identity."
    )


class ProvenanceAnswer(BaseModel):
    """Where a model version comes from."""

    run_id: str = Field(description="Dagster run that registered it.")
    commit: str | None = Field(description="Commit of the code.")
    release: str = Field(description="Release of the package football-assets.")
    inputs: dict[str, str | dict[str, str] | None] = Field(
        description="Dagster's data version of each asset that it was built from, of a partitioned asset by partition."
    )


class ModelAnswer(BaseModel):
    """The model version that forecasts."""

    version: int
    published: str
    as_of: date = Field(description="Day of the last result that the model knows.")
    provider: str = Field(description="ONNX Runtime execution provider.")
    signature: SignatureAnswer
    provenance: ProvenanceAnswer | None = Field(description="Null for versions of earlier releases.")
    metrics: dict[str, object] = Field(description="Scores on the test period, beside the baselines'.")
    card: str = Field(description="Model card, Markdown.")
