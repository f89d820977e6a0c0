#pragma once

#include <sys/types.h>

#include <cstddef>

#include "engine/worker.h"

namespace cnb {

// Receives by having the kernel map the pages that the payload came in (TCP_ZEROCOPY_RECEIVE, tcp_zerocopy_receive() in
// net/ipv4/tcp.c), and copies what it cannot map: it maps whole pages only, of which each holds nothing but payload and
// belongs to nobody else. What came of it is counted.
//
// One mapping serves all flows of a worker, as one buffer does: the kernel asks for a mapping of a TCP socket, not of
// the one that is read. It holds on to that socket, and so has to go before the flows are closed.
class MappedReceive {
 public:
  // Throws SystemError where the kernel has none.
  explicit MappedReceive(Worker& worker);
  ~MappedReceive();
  MappedReceive(const MappedReceive&) = delete;
  MappedReceive& operator=(const MappedReceive&) = delete;

  // recv(2)'s result. Never waits; await() does, for what a receive would wait for.
  ssize_t receive(size_t flow);
  ssize_t await(size_t flow);
  // Which call a result of -1 is of.
  const char* call() const { return call_; }

 private:
  ssize_t take(int fd, size_t& mapped);

  Worker& worker_;
  size_t size_;
  void* pages_;
  const char* call_ = "";
};

}  // namespace cnb
