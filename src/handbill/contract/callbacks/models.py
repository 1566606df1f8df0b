"""What is told of callbacks."""

from pydantic import Field

from handbill.wire.models import Model


class CallbackSecret(Model):
    """The secret that callbacks are signed with."""

    secret: str = Field(description="whsec_ and 32 bytes in base64.")
