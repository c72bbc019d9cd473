//! What the SDK logs, as far as it matters who may read it.

/// Where the SDK logs the identity it signs with: never the secret key, but the access key.
const SIGNERS: [&str; 3] = [
    "aws_sigv4",
    "aws_smithy_runtime::client::identity",
    "aws_smithy_runtime::client::orchestrator",
];

/// Whether detailed records of this target may show whose credentials are used.
pub fn logs_identities(target: &str) -> bool {
    SIGNERS.iter().any(|signer| target.starts_with(signer))
}
