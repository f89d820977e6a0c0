#pragma once

#include <sys/socket.h>
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

inline int send_many(int fd, mmsghdr* messages, size_t count, int flags) {
  return static_cast<int>(syscall(SYS_sendmmsg, fd, messages, count, flags));
}

inline int receive_many(int fd, mmsghdr* messages, size_t count, int flags) {
  return static_cast<int>(syscall(SYS_recvmmsg, fd, messages, count, flags, nullptr));
}

}  // namespace cnb::calls
