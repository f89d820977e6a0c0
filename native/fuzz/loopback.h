#pragma once

#include <sys/eventfd.h>

#include "core/error.h"
#include "core/fd.h"
#include "core/socket.h"
#include "engine/plan.h"

// Sockets of the targets. What one end of loopback or of a pair has sent is at the other when the call returns.
namespace cnb::fuzz {

inline const Cookie kCookie{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

inline SocketOptions plain_options() {
  SocketOptions options;
  options.no_delay = false;
  return options;
}

inline Fd udp_on_loopback() { return receive_on(Address::parse("127.0.0.1", 0), plain_options()); }

inline void connect_to(const Fd& from, const Fd& to) {
  const Address at = Address::local_of(to.get());
  checked(connect(from.get(), at.raw(), at.size()), "connect");
}

inline void drain(const Fd& fd) {
  uint8_t byte;
  while (recv(fd.get(), &byte, sizeof byte, MSG_DONTWAIT) >= 0) {
  }
}

// Readable for ever: a set-up that waits asks at each turn whether it is cancelled.
inline Fd raised_event() { return Fd(checked(eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")); }

}  // namespace cnb::fuzz
