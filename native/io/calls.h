#pragma once

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>

// send(2) and recv(2) as the loops make them: straight into the kernel. The C library's own are cancellation points
// (pthreads(7)), which in a process with threads costs some 55 instructions a call and serves nobody here: no worker is
// ever cancelled. Its syscall(2) sorts the arguments anew, for another 15.
namespace cnb::calls {

// The kernel's answer: -4095 to -1 are errors. Which registers, and which the kernel changes: syscall(2).
inline long enter(long number, long a, long b, long c, long d, long e, long f) {
#if defined(__x86_64__)
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  long result;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc #0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
#else
#error "cnb-load runs on x86-64 and arm64"
#endif
}

// As the C library would have it: -1 and errno.
inline ssize_t answer(long result) {
  if (result >= 0) return result;
  errno = static_cast<int>(-result);
  return -1;
}

inline long word(const void* pointer) { return static_cast<long>(reinterpret_cast<intptr_t>(pointer)); }

inline ssize_t send(int fd, const void* data, size_t size, int flags) {
  return answer(enter(SYS_sendto, fd, word(data), static_cast<long>(size), flags, 0, 0));
}

inline ssize_t recv(int fd, void* data, size_t size, int flags) {
  return answer(enter(SYS_recvfrom, fd, word(data), static_cast<long>(size), flags, 0, 0));
}

inline int send_many(int fd, mmsghdr* messages, size_t count, int flags) {
  return static_cast<int>(answer(enter(SYS_sendmmsg, fd, word(messages), static_cast<long>(count), flags, 0, 0)));
}

inline int receive_many(int fd, mmsghdr* messages, size_t count, int flags) {
  return static_cast<int>(answer(enter(SYS_recvmmsg, fd, word(messages), static_cast<long>(count), flags, 0, 0)));
}

}  // namespace cnb::calls
