//! What the HTTP statuses of gateways, proxies and content networks prove about the request behind them.
//!
//! Dify never sends these. Sources: RFC 9110 (502 to 504); Cloudflare's "5xx errors" (520 to 530) and AWS's "Troubleshoot
//! your Application Load Balancers" (460, 561); nginx's `ngx_http_request.h` (499); 598 and 599 are what some proxies send
//! for a timeout while they read or connect.

/// Whether the request that a gateway answered may have reached Dify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GatewayReach {
    /// Surely not: the gateway had no connection to send it over.
    Never,
    /// It may have been lost on its way, or taken.
    Perhaps,
    /// It was passed on, and its answer did not come: the run goes on.
    Likely,
}

/// What a status of a gateway proves; `None` for a status that is not a gateway's own.
pub fn reach(status: u16) -> Option<GatewayReach> {
    match status {
        // Refused, unreachable, no secure connection, no name.
        521 | 523 | 525 | 526 | 530 | 561 => Some(GatewayReach::Never),
        // Cloudflare's 522 means a connection that was not established, or one that fell silent.
        408 | 502 | 503 | 520 | 522 | 527 | 599 => Some(GatewayReach::Perhaps),
        460 | 499 | 504 | 524 | 598 => Some(GatewayReach::Likely),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_gateway_without_a_connection_proves_that_nothing_arrived() {
        let of =
            |wanted| (100..1000).filter(move |status| reach(*status) == Some(wanted)).collect::<Vec<u16>>();
        assert_eq!(of(GatewayReach::Never), [521, 523, 525, 526, 530, 561]);
        assert_eq!(of(GatewayReach::Perhaps), [408, 502, 503, 520, 522, 527, 599]);
        assert_eq!(of(GatewayReach::Likely), [460, 499, 504, 524, 598]);
    }
}
