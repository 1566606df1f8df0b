"""What ``wire.vendors`` spells, as JSON Schema for the OpenAPI document."""

from handbill.core.vendors import RECONCILIATION_FREQUENCIES, RECONCILIATION_MODES
from handbill.wire.shapes import Schema
from handbill.wire.spelling import (
    DAY,
    FLAG,
    NUMBER,
    TEXT,
    WHOLE,
    described,
    listed,
    nullable,
    whole,
)

_PORTAL_SCHEMA = whole(
    {
        "url": described(TEXT, "Address of the portal."),
        "username": described(nullable(TEXT), "Who logs in there."),
    }
)
VENDOR: dict[str, Schema] = {
    "feedIndexLatency": described(WHOLE, "Minutes until it shows a feed that it has fetched."),
    "deliverFeedByFTP": described(FLAG, "Whether its files are sent to its FTP server too."),
    "ftpConfig": described(
        nullable(
            whole(
                {
                    "credentials": described(
                        whole(
                            {
                                "host": described(TEXT, "Name or address of the FTP server."),
                                "port": described(WHOLE, "Its port."),
                                "username": described(TEXT, "Who logs in."),
                                "tls": described(FLAG, "Whether over TLS."),
                            }
                        ),
                        "Where to log in; the password is never answered.",
                    ),
                    "pathTemplate": described(TEXT, "Path of the file there."),
                    "alertRecipients": described(listed(TEXT), "Whom to tell of failures."),
                }
            )
        ),
        "Where its files are sent to; null: nowhere.",
    ),
    "publisherContactDetailsRevamp": described(
        listed(
            whole(
                {
                    "email": described(nullable(TEXT), "Mail address."),
                    "vpAccessEnabled": described(FLAG, "Whether they may see the portal."),
                    "notificationEnabled": described(FLAG, "Whether they want notices."),
                    "notificationAlertThreshold": described(
                        nullable(NUMBER), "Percent at which a notice is due."
                    ),
                }
            )
        ),
        "People at the vendor.",
    ),
    "vendorPortalDetails": described(listed(_PORTAL_SCHEMA), "The vendor's portals."),
    "publisherPortalDetails": described(nullable(_PORTAL_SCHEMA), "The publisher's own portal."),
    "publisherReconciliationDetails": described(
        nullable(
            whole(
                {
                    "mode": described(
                        {"enum": list(RECONCILIATION_MODES)}, "How the vendor's numbers come in."
                    ),
                    "startDate": described(nullable(DAY), "First day of its numbers."),
                    "frequency": described(
                        {"enum": list(RECONCILIATION_FREQUENCIES)}, "How often."
                    ),
                    "timezone": described(TEXT, "Zone of the vendor's days."),
                }
            )
        ),
        "How the vendor's own numbers are brought in.",
    ),
}
