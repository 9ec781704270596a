//! Which addresses are counted together.
//! Exports `network`.
//! Used by the counts of connections and by what is told of dropped ones.
//! Start reading at `network`.

use std::net::{IpAddr, Ipv6Addr};

/// A whole /64 counts as one address: that is what one subscriber gets.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}
