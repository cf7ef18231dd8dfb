//! The socket options that std has no name for.

#![expect(unsafe_code, reason = "getsockopt and setsockopt")]

use std::{io, os::fd::AsRawFd};

/// Switches UDP_GRO. Off, every datagram comes alone, and buffers may be small.
pub(crate) fn set_receive_offload(socket: &impl AsRawFd, on: bool) -> io::Result<()> {
    let value: libc::c_int = on.into();
    // SAFETY: `value` is a c_int that lives through the call, and its size is what is passed.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_UDP,
            libc::UDP_GRO,
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
