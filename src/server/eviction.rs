//! The rule that decides which connection is closed when a new connection needs its slot: of the network with the most
//! connections that wait for their client, the connection that has waited longest.
//!
//! So a client that opens many connections loses its own connections. A client with one connection keeps it until its
//! request arrives. Connections through a proxy all have the proxy's address, so the longest waiting of all is closed.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

/// An IPv4 address, or the first 64 bits of an IPv6 address, because a client usually has all addresses of a /64.
#[derive(PartialEq, Eq, Hash)]
enum Network {
    V4(Ipv4Addr),
    V6([u16; 4]),
}

impl Network {
    /// An IPv4-mapped IPv6 address counts as its IPv4 address.
    fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Self::V6([a, b, c, d])
            }
        }
    }
}

/// A connection that waits for its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting<T> {
    pub(super) since: Instant,
    pub(super) address: IpAddr,
    pub(super) connection: T,
}

/// Chooses the connection to close. If several networks have the most connections, it is the longest waiting connection
/// of these networks. `None` if no connection waits.
pub(super) fn choose<T>(connections: impl Iterator<Item = Waiting<T>>) -> Option<Waiting<T>> {
    let mut networks: HashMap<Network, (usize, Waiting<T>)> = HashMap::new();
    for waiting in connections {
        match networks.entry(Network::of(waiting.address)) {
            Entry::Vacant(entry) => drop(entry.insert((1, waiting))),
            Entry::Occupied(mut entry) => {
                let (count, oldest) = entry.get_mut();
                *count += 1;
                if waiting.since < oldest.since {
                    *oldest = waiting;
                }
            }
        }
    }
    let largest =
        networks.into_values().max_by_key(|(count, oldest)| (*count, Reverse(oldest.since)));
    largest.map(|(_, oldest)| oldest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
    use std::time::Duration;

    use super::*;

    /// The order in which connections from these addresses are closed, as indexes. The first has waited longest.
    fn order(addresses: &[&str]) -> Vec<usize> {
        let start = Instant::now();
        let mut connections: Vec<_> = addresses
            .iter()
            .zip(0..)
            .map(|(address, connection)| Waiting {
                since: start + Duration::from_secs(connection),
                address: address.parse().unwrap(),
                connection,
            })
            .collect();
        let mut order = Vec::new();
        while let Some(chosen) = choose(connections.iter().copied()) {
            connections.retain(|waiting| waiting.connection != chosen.connection);
            order.push(usize::try_from(chosen.connection).unwrap());
        }
        order
    }

    #[test]
    fn closes_a_connection_of_the_network_with_the_most() {
        let (a, b, c) = ("192.0.2.1", "192.0.2.2", "192.0.2.3");
        assert_eq!(order(&[a, a, a]), [0, 1, 2], "one network");
        assert_eq!(order(&[a, b, c]), [0, 1, 2], "one connection each");
        assert_eq!(order(&[a, b, b, c, c, c]), [3, 1, 4, 0, 2, 5]);
        assert_eq!(order(&[]), [0; 0]);
    }

    #[test]
    fn counts_ipv6_by_64_bits_and_mapped_addresses_as_ipv4() {
        let (near, same, far) = ("2001:db8::1", "2001:db8::ffff:0:0:1", "2001:db8:0:1::1");
        assert_eq!(order(&["192.0.2.1", far, near, same]), [2, 0, 1, 3]);
        assert_eq!(order(&["192.0.2.1", "::ffff:192.0.2.2", "192.0.2.2"]), [1, 0, 2]);
        assert_eq!(order(&["::ffff:192.0.2.1", "::ffff:192.0.2.2", "::1"]), [0, 1, 2]);
    }
}
