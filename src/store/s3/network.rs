//! The HTTP clients: one pool of connections for all stores, directly or through a proxy, and TLS
//! only where something needs it.

use std::sync::OnceLock;

use aws_sdk_s3::config::{HttpClient, RuntimeComponents, SharedHttpClient};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, TlsContext};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

use super::exchange::Watching;
use super::{proxy, trust};
use crate::store::StoreError;

/// The client for an endpoint; AWS's own when `None`.
pub(super) fn http_client(endpoint: Option<&str>) -> Result<SharedHttpClient, StoreError> {
    static PLAIN: OnceLock<SharedHttpClient> = OnceLock::new();
    static TLS: OnceLock<SharedHttpClient> = OnceLock::new();
    static PROXIED: OnceLock<SharedHttpClient> = OnceLock::new();

    let may_go_through = proxy::are_wanted(endpoint)?;
    let plain = endpoint.is_some_and(|url| url.starts_with("http://"));
    if plain && !may_go_through {
        let plain = PLAIN.get_or_init(|| Watching::around(Builder::new().build_http()));
        return Ok(plain.clone());
    }
    let trusted = trust::context()?;
    let direct = || {
        let tls = tls_provider();
        let builder = Builder::new().tls_provider(tls);
        builder.tls_context(trusted.clone()).build_https()
    };
    let client = if may_go_through {
        PROXIED.get_or_init(|| {
            Watching::around(SharedHttpClient::new(Routed {
                direct: direct(),
                proxied: proxied(trusted.clone()),
            }))
        })
    } else {
        TLS.get_or_init(|| Watching::around(direct()))
    };
    Ok(client.clone())
}

fn tls_provider() -> tls::Provider {
    tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc)
}

/// A client that goes through the proxies that the environment names.
fn proxied(trusted: TlsContext) -> SharedHttpClient {
    Builder::new().build_with_connector_fn(move |settings, components| {
        let mut builder = Connector::builder().proxy_config(ProxyConfig::from_env());
        builder.set_connector_settings(settings.cloned());
        if let Some(components) = components {
            builder.set_sleep_impl(components.sleep_impl());
        }
        let builder = builder.tls_provider(tls_provider());
        builder.tls_context(trusted.clone()).build()
    })
}

/// A client that goes through a proxy only to where one can stand in between.
#[derive(Debug)]
struct Routed {
    direct: SharedHttpClient,
    proxied: SharedHttpClient,
}

impl HttpClient for Routed {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(RoutedConnector {
            direct: self.direct.http_connector(settings, components),
            proxied: self.proxied.http_connector(settings, components),
        })
    }
}

#[derive(Debug)]
struct RoutedConnector {
    direct: SharedHttpConnector,
    proxied: SharedHttpConnector,
}

impl HttpConnector for RoutedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        if proxy::is_at_hand(request.uri()) {
            self.direct.call(request)
        } else {
            self.proxied.call(request)
        }
    }
}
