#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

#include "io/calls.h"

namespace cnb {

// Blocking calls that survive partial results. Signals are blocked in our threads, so EINTR means only that a tracer
// attached.

// False with errno set; the bytes before the failure are lost to the caller, whose flow is over.
inline bool send_all(int fd, const uint8_t* data, size_t size) {
  while (size > 0) {
    const ssize_t n = calls::send(fd, data, size, MSG_NOSIGNAL);
    if (n < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    data += n;
    size -= static_cast<size_t>(n);
  }
  return true;
}

inline ssize_t recv_some(int fd, void* data, size_t size, int flags = 0) {
  for (;;) {
    const ssize_t n = calls::recv(fd, data, size, flags);
    if (n >= 0 || errno != EINTR) return n;
  }
}

// Receives `size` bytes through a scratch buffer of `room`. 1 when all came, 0 when the peer closed before, -1 with
// errno.
inline int recv_exact(int fd, uint8_t* scratch, size_t room, size_t size) {
  while (size > 0) {
    const ssize_t n = recv_some(fd, scratch, size < room ? size : room);
    if (n <= 0) return static_cast<int>(n);
    size -= static_cast<size_t>(n);
  }
  return 1;
}

// Tells a foreign peer by end of stream that this side is done, and reads on until it says the same; what comes until
// then is dropped in the kernel (MSG_TRUNC, tcp(7)).
inline void end_in_band(int fd) {
  constexpr size_t kMost = size_t{1} << 20;
  shutdown(fd, SHUT_WR);
  while (recv_some(fd, nullptr, kMost, MSG_TRUNC) > 0) {
  }
}

inline bool would_block(int err) { return err == EAGAIN || err == EINTR; }

}  // namespace cnb
