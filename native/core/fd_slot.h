#pragma once

#include <sys/socket.h>

#include <atomic>
#include <thread>

namespace cnb {

// Lets another thread break a worker out of a blocking call without a race on descriptor numbers. The worker publishes
// the socket that it may block on and retires it before closing; the interrupter borrows the slot while it calls
// shutdown(2), so the number cannot be reused by someone else's socket in between. Waking a blocked connect, send, recv
// or accept is what shutdown does on Linux; no signal is involved, since a library must not claim one.
class FdSlot {
 public:
  // Worker thread.
  void publish(int fd) { fd_.store(fd, std::memory_order_seq_cst); }

  // Worker thread. Returns once the interrupter, if any, has let go.
  void retire() {
    int seen = fd_.load(std::memory_order_relaxed);
    for (;;) {
      if (seen == kNone) return;
      if (seen == kBorrowed) {
        std::this_thread::yield();
        seen = fd_.load(std::memory_order_relaxed);
      } else if (fd_.compare_exchange_weak(seen, kNone, std::memory_order_seq_cst)) {
        return;
      }
    }
  }

  // Any one other thread. May come before the worker blocks, so it is repeated until the worker has ended.
  void interrupt() {
    int fd = fd_.load(std::memory_order_seq_cst);
    if (fd < 0 || !fd_.compare_exchange_strong(fd, kBorrowed, std::memory_order_seq_cst)) return;
    ::shutdown(fd, SHUT_RDWR);
    fd_.store(fd, std::memory_order_seq_cst);
  }

 private:
  static constexpr int kNone = -1;
  static constexpr int kBorrowed = -2;
  std::atomic<int> fd_{kNone};
};

}  // namespace cnb
