"""Places where users, and the machines that serve models, keep keys, passwords and tokens: a path that leads to one has no honest
use in a model.

A heuristic: the usual places of well-known tools, by the end of their paths. Public halves of keys (``id_rsa.pub``) do not count.

Sources: the documentation of the tools; MITRE ATT&CK T1552.001, T1552.004; T1539, T1555; https://huggingface.co/docs/huggingface_hub (``HF_TOKEN_PATH``).
"""

from __future__ import annotations

from openvet.core.pattern import pattern

__all__ = ["HOME", "PRIVATE", "TELLS_SECRETS"]

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
    r"[Ff]ile[Zz]illa/(?:recentservers|sitemanager)\.xml|\.config/github-copilot|"
    # services of models and data
    r"\.databrickscfg\b|\.mlflow/credentials|\.config/[\w-]{1,40}/(?:credentials|auth|token|hosts\.yml)\b|\.snowsql/config|\.dbt/profiles|\.ngc/config|\.huggingface/token|\.claude/\.credentials|\.codex/auth|\.gemini/oauth|\.modal\.toml\b|"
    r"\.lightning/credentials|\.comet\.config\b|\bclearml\.conf\b|\.config/wandb/settings|\.runpod/|\.Renviron\b|\.aider\.conf|\.cursor/mcp\.json|\.config/sops|\.age/key|\.composer/auth\.json|\.gem/credentials|\.m2/settings\.xml|\.gradle/gradle\.properties"
)
#: Commands that print a token or a password which a tool keeps for its user, and addresses at which a machine of a cloud is told its own.
TELLS_SECRETS = pattern(
    r"\b(?:gh\s{1,4}auth\s{1,4}token|gcloud\s{1,4}auth\s{1,4}(?:\w{1,30}-default\s{1,4})?print-(?:access|identity)-token|kubectl\s{1,4}config\s{1,4}view\s[^|;&]{0,40}--raw|kubectl\s[^|;&]{0,60}\bget\s{1,4}secrets?|"
    r"aws\s{1,4}configure\s{1,4}(?:export-credentials|get)|aws\s{1,4}(?:sts\s{1,4}get-session-token|secretsmanager\s{1,4}get-secret-value|ssm\s{1,4}get-parameters?\s[^|;&]{0,80}--with-decryption)|az\s{1,4}account\s{1,4}get-access-token|"
    r"security\s{1,4}(?:find-\w{1,30}-password|dump-keychain)|pass\s{1,4}show|git\s{1,4}credential\s{1,4}fill|git\s{1,4}config\s[^|;&]{0,40}(?:extraheader|credential\.)|npm\s{1,4}(?:config\s{1,4}get\s{1,4}\S{0,80}_auth\w{0,10}|token\s{1,4}list)|"
    r"op\s{1,4}(?:read|item\s{1,4}get)|vault\s{1,4}(?:kv\s{1,4}get|read|print\s{1,4}token)|docker-credential-\w{1,30}\s{1,4}get|secret-tool\s{1,4}(?:lookup|search)|cmdkey\s{1,4}/list|(?:hf|huggingface-cli)\s{1,4}auth\s{1,4}token|"
    r"netsh\s{1,4}wlan\s{1,4}show\s{1,4}profiles?\b[^;&]{0,200}key=clear|\b(?:trufflehog|gitleaks|noseyparker)\b[^|;&]{0,60}\s(?:~|/|\$HOME|\$\{HOME\})(?:/|\s|$)|gcloud\s{1,4}iam\s{1,4}service-accounts\s{1,4}keys\s{1,4}create|vault\s{1,4}token\s{1,4}lookup|cargo\s{1,4}login\s{1,4}--show|terraform\s{1,4}output\s[^|;&]{0,40}-raw)|"
    r"(?:169\.254\.169\.254|metadata\.google\.internal|100\.100\.100\.200)/[^\s\"'|]{0,200}(?:security-credentials|token|identity|user-data)|169\.254\.170\.2\b"
)
#: All of a home, of what is mounted, or of the machine.
HOME = pattern(r"^(?:~|/root|/home|/Users|/mnt|/media|/srv)(?:/|$)|^/\*|^/$")
