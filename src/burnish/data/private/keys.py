"""Access keys in the shapes that services give them, and private keys.

A string of high entropy alone is no finding: hashes, ids and data look like it. The shapes are those that the services
document or that their keys visibly have.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from burnish.data.private.finding import Finding

# (literals one of which stands in every such key, shape)
_SHAPES: tuple[tuple[tuple[str, ...], str], ...] = (
    (("AKIA", "ASIA", "ABIA", "ACCA"), r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),  # Amazon
    (("AIza",), r"AIza[\w-]{35}"),  # Google
    (("GOCSPX-",), r"GOCSPX-[\w-]{28}"),
    (("ya29.",), r"ya29\.[\w-]{30,}"),
    (("ghp_", "gho_", "ghu_", "ghs_", "ghr_"), r"gh[pousr]_[A-Za-z0-9]{36,}"),  # GitHub
    (("github_pat_",), r"github_pat_\w{40,}"),
    (("glpat-", "gldt-", "glrt-"), r"gl(?:pat|dt|rt)-[\w-]{20,}"),  # GitLab
    (("sk-",), r"sk-(?:proj-|svcacct-|admin-|ant-(?:api|admin)\d\d-|or-v1-|lf-)?[\w-]{20,}"),  # OpenAI, Anthropic …
    (("hf_",), r"hf_[A-Za-z]{30,}"),  # Hugging Face
    (("gsk_", "r8_", "xai-", "pplx-"), r"(?:gsk_[A-Za-z0-9]{48,}|r8_\w{37}|xai-\w{60,}|pplx-[A-Za-z0-9]{40,})"),
    (("_live_", "_test_"), r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}"),  # Stripe
    (("whsec_",), r"whsec_[A-Za-z0-9+/=]{24,}"),
    (("xox",), r"xox[abeoprs]-[A-Za-z0-9-]{20,}"),  # Slack
    (("hooks.slack.com",), r"https://hooks\.slack\.com/services/T\w{6,}/B\w{6,}/\w{20,}"),
    (("/api/webhooks/",), r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/\d{15,}/[\w-]{50,}"),
    (("SG.",), r"SG\.[\w-]{20,24}\.[\w-]{39,50}"),  # SendGrid
    (("key-",), r"key-[0-9a-f]{32}"),  # Mailgun
    (("-us",), r"[0-9a-f]{32}-us\d{1,2}"),  # Mailchimp
    (("SK", "AC"), r"(?:SK|AC)[0-9a-f]{32}"),  # Twilio
    (("npm_",), r"npm_[A-Za-z0-9]{36}"),
    (("pypi-",), r"pypi-AgE[\w-]{50,}"),
    (("dop_v1_", "doo_v1_"), r"do[op]_v1_[0-9a-f]{64}"),  # DigitalOcean
    (("shpat_", "shpss_", "shpca_"), r"shp(?:at|ss|ca)_[0-9a-fA-F]{32}"),  # Shopify
    (("sq0",), r"sq0(?:atp|csp)-[\w-]{22,}"),  # Square
    (("dapi",), r"dapi[0-9a-f]{32}(?:-\d)?"),  # Databricks
    (("hvs.",), r"hvs\.[\w-]{24,}"),  # Vault
    (("lin_api_",), r"lin_api_[A-Za-z0-9]{40}"),  # Linear
    (("PMAK-",), r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),  # Postman
    (("NRAK-",), r"NRAK-[A-Z0-9]{27}"),  # New Relic
    (
        ("AccountKey=", "SharedAccessKey="),
        r"(?<=AccountKey=)[A-Za-z0-9+/]{86}==|(?<=SharedAccessKey=)[\w+/]{43}=",
    ),  # Azure
    ((":AA",), r"\d{8,10}:AA[\w-]{32,33}"),  # Telegram
    (("eyJ",), r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}"),  # JSON web token
    (("AGE-SECRET-KEY-",), r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    (
        ("PRIVATE KEY",),
        r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----[\s\S]{40,}?"
        r"(?:-----END (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----|\Z)",
    ),
)
KEYS = tuple(
    (literals, re.compile(rf"(?<![A-Za-z0-9_]){shape}(?![A-Za-z0-9])", re.ASCII)) for literals, shape in _SHAPES
)
SHORTEST_KEY = 20  # characters, without spaces: ordinary texts have no such word
FEWEST_DIFFERENT = 8  # characters of a key: placeholders such as sk-xxxxxxxxxxxxxxxx have fewer
_MADE_UP = re.compile(r"example|your|xxxx|placeholder|dummy|sample|1234567890abcdef|abcdefghij", re.IGNORECASE)


def keys(text: str) -> Iterator[Finding]:
    """Keys of known services and private keys."""
    if max(map(len, text.split()), default=0) < SHORTEST_KEY:
        return
    for literals, shape in KEYS:
        if any(literal in text for literal in literals):
            for match in shape.finditer(text):
                if len(set(match[0])) >= FEWEST_DIFFERENT and not _MADE_UP.search(match[0]):
                    yield Finding("key", *match.span())
