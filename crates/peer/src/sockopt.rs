//! The socket options that std has no name for.

#![expect(unsafe_code, reason = "getsockopt and setsockopt")]

use std::{io, os::fd::AsRawFd};

/// Sets the field of outgoing datagrams that carries DSCP: IP_TOS, or IPV6_TCLASS (RFC 3542 §6.5).
pub(crate) fn set_traffic_class(socket: &impl AsRawFd, class: u8, is_ipv6: bool) -> io::Result<()> {
    if is_ipv6 {
        set(socket, libc::IPPROTO_IPV6, libc::IPV6_TCLASS, class.into())
    } else {
        set(socket, libc::IPPROTO_IP, libc::IP_TOS, class.into())
    }
}

fn set(
    socket: &impl AsRawFd,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: `value` is a c_int that lives through the call, and its size is what is passed.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Datagrams the kernel threw away because the receive buffer was full (`SO_MEMINFO`).
pub(crate) fn dropped(socket: &impl AsRawFd) -> u64 {
    /// Linux, `include/uapi/linux/sock_diag.h`: `SK_MEMINFO_DROPS` is the ninth of nine.
    const DROPS: usize = 8;
    const SO_MEMINFO: libc::c_int = 55;
    let mut values = [0_u32; DROPS + 1];
    let mut length = size_of_val(&values) as libc::socklen_t;
    // SAFETY: `values` holds `length` bytes, and both live through the call.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_MEMINFO,
            values.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result == 0 && length as usize == size_of_val(&values) {
        u64::from(values[DROPS])
    } else {
        0
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Has the kernel tell the traffic class of what comes in.
    pub(crate) fn ask_for_traffic_class(socket: &impl AsRawFd, is_ipv6: bool) -> io::Result<()> {
        if is_ipv6 {
            set(socket, libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, 1)
        } else {
            set(socket, libc::IPPROTO_IP, libc::IP_RECVTOS, 1)
        }
    }

    /// Waits for a datagram, and returns its traffic class.
    pub(crate) fn received_traffic_class(socket: &impl AsRawFd) -> io::Result<u8> {
        let mut bytes = [0_u8; 2048];
        let mut control = [0_u64; 16];
        let mut part = libc::iovec {
            iov_base: bytes.as_mut_ptr().cast(),
            iov_len: bytes.len(),
        };
        // SAFETY: a msghdr of zeros is one without name, parts and control.
        let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = control.as_mut_ptr().cast();
        message.msg_controllen = size_of_val(&control);
        // SAFETY: all that `message` points to lives through the call, and its sizes are right.
        if unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, 0) } < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel has filled in `message`; its first control message, if there is one,
        // carries the class in its first byte (IPv4: a byte, IPv6: an int, little-endian here).
        unsafe {
            let first = libc::CMSG_FIRSTHDR(&raw const message);
            if first.is_null() {
                return Err(io::Error::other("the kernel tells no traffic class"));
            }
            Ok(*libc::CMSG_DATA(first))
        }
    }
}
