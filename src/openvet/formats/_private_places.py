"""Places where users, and the machines that serve models, keep keys, passwords and tokens: a path that leads to one has no honest
use in a model.

A heuristic: the usual places of well-known tools, by the end of their paths. Public halves of keys (``id_rsa.pub``) do not count.

Sources: the documentation of the tools; MITRE ATT&CK T1552.001, T1552.004; T1539, T1555; https://huggingface.co/docs/huggingface_hub (``HF_TOKEN_PATH``).
"""

from __future__ import annotations

from openvet.core.pattern import pattern

__all__ = ["PRIVATE"]

PRIVATE = pattern(
    r"\.ssh/(?!known_hosts|config\b|authorized_keys|[\w.-]{0,80}\.pub\b)|(?<=/)\.(?:ssh|aws|gnupg|azure|kube|docker)(?![\w/.-])|\bid_(?:rsa|dsa|ed25519|ecdsa)\b(?!\.pub)|"
    r"\.aws/|\.azure/|\.netrc\b|\.git-credentials|\.docker/config|\.kube/config|huggingface/(?:stored_)?token|\.pypirc|\.npmrc|"
    r"/etc/(?:passwd|g?shadow|sudoers|ssh/ssh_host|kubernetes/)|\.gnupg|Login Data|cookies\.sqlite|wallet\.dat|/proc/[][\w*?-]{1,20}/(?:environ|mem|maps|cmdline|fd/)|"
    r"\.(?:bash|zsh|python|psql|mysql)_history|\.config/(?:gcloud|gh/|hub\b|rclone|op/)|\.pgpass|\.vault-token|\.cargo/credentials|"
    r"\.terraform\.d/credentials|/run/secrets/|\.s3cfg|\.boto\b|\.my\.cnf|\.kaggle/kaggle\.json|\.wandb_key|"
    # wallets, profiles of browsers, stores of passwords, messengers
    r"\.(?:ethereum|bitcoin|litecoin|dogecoin|monero|electrum|zcash)(?:/|\b(?![\w.-]))|\.config/(?:solana|Exodus|atomic|Ledger Live)\b|solana/id\.json|"
    r"Local Extension Settings|\.config/(?:google-chrome|chromium|BraveSoftware|microsoft-edge|vivaldi|opera)\b|Google[\\/]{1,4}Chrome[\\/]{1,4}User Data|"
    r"BraveSoftware[\\/]|Microsoft[\\/]{1,4}Edge[\\/]{1,4}User Data|\.mozilla/firefox|Firefox/Profiles|\blogins\.json\b|\bkey[34]\.db\b|[\\/*]Cookies\b|"
    r"\.password-store|Library/Keychains|login\.keychain|\.local/share/keyrings|Telegram Desktop[\\/]{1,4}tdata|discord[\\/]{1,4}Local Storage|\.thunderbird/|"
    r"[Ff]ile[Zz]illa/(?:recentservers|sitemanager)\.xml|\.config/github-copilot"
)
