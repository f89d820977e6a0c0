#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstddef>

// send(2) and recv(2) as the loops make them. The C library's own are cancellation points (pthreads(7)), which in a
// process with threads costs some 55 instructions a call and serves nobody here: no worker is ever cancelled.
namespace cnb::calls {

inline ssize_t send(int fd, const void* data, size_t size, int flags) {
  return syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}

inline ssize_t recv(int fd, void* data, size_t size, int flags) {
  return syscall(SYS_recvfrom, fd, data, size, flags, nullptr, nullptr);
}

}  // namespace cnb::calls
