// The server of TCP_CRR and TCP_CC over io_uring: standing accepts, and one chain of requests for each connection, from
// receive to close.

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "core/clock.h"
#include "io/uring_flows.h"
#include "loops/crr.h"
#include "loops/loops.h"

namespace cnb {

namespace {

using uring::Target;

constexpr uring::Kind kAccept = 1;
constexpr uring::Kind kReceive = 2;
constexpr uring::Kind kSend = 3;
constexpr uring::Kind kDrain = 4;
constexpr uring::Kind kClose = 5;
constexpr uring::Kind kCancel = 6;

// The longest chain: receive, send, drain, close.
constexpr uint32_t kChain = 4;
// Connections at a time beside those of the test's flows: strangers hold theirs until the next sweep.
constexpr uint32_t kSpareSlots = 64;
constexpr uint32_t kMostSlots = 32'768;
// Accepts under way: as many connections as one batch may bring. The others wait in the accept queue.
constexpr size_t kMostAccepts = 128;
constexpr uint64_t kSweepNs = 1'000'000'000;

uint32_t slots_for(const Plan& plan) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);  // the kernel refuses larger tables
  const uint32_t wanted = std::min(plan.flows, kMostSlots) + kSpareSlots;
  return static_cast<uint32_t>(std::min<rlim_t>(wanted, limit.rlim_cur));
}

class Server {
 public:
  explicit Server(Worker& worker)
      : worker_(worker),
        plan_(worker.plan()),
        allowed_(plan_),
        connections_(slots_for(plan_)),
        ring_(worker, connections_.size()) {
    for (size_t i = connections_.size(); i-- > 0;) free_.push_back(i);
    ring_.register_slots(static_cast<uint32_t>(connections_.size()));
  }

  void run() {
    uint64_t next_sweep = now_ns() + kCrrIdleNs;
    while (!worker_.stopping()) {
      offer();
      ring_.submit_and_wait(kSweepNs);
      if (!ring_.reap([this](const Completion& done) { return serve(done); })) return;
      if (now_ns() >= next_sweep) {
        sweep();
        next_sweep = now_ns() + kCrrIdleNs;
      }
    }
  }

 private:
  struct Connection {
    Address peer;
    socklen_t peer_size = 0;
    size_t left = 0;  // of the request
    bool open = false;
    bool idle = false;  // since the last sweep
  };

  io_uring_sqe& next(uring::Kind kind, size_t i) { return ring_.next(uring::tag_of(kind, i)); }
  static Target slot(size_t i) { return {static_cast<int>(i), true}; }

  // Accepts into every free slot, within reason.
  void offer() {
    for (; accepts_ < kMostAccepts && !free_.empty(); accepts_++) {
      const size_t i = free_.back();
      free_.pop_back();
      Connection& connection = connections_[i];
      connection.peer_size = Address::capacity();
      uring::accept(next(kAccept, i), worker_.listener_fd(), connection.peer, connection.peer_size,
                    static_cast<uint32_t>(i));
    }
  }

  // False when the worker is finished.
  bool serve(const Completion& done) {
    const size_t i = uring::number_of(done.tag);
    switch (uring::kind_of(done.tag)) {
      case kAccept:
        return accepted(i, done.result);
      case kReceive:
        received(i, done.result);
        return true;
      case kSend:
        connections_[i].idle = false;
        if (done.result == static_cast<int>(plan_.response)) count_served(worker_);
        return true;
      case kClose:
        closed(i, done.result);
        return true;
      default:
        return true;
    }
  }

  bool accepted(size_t i, int result) {
    accepts_--;
    if (result < 0) {
      free_.push_back(i);
      if (result != -ECONNABORTED && result != -EAGAIN && result != -EINTR) worker_.fail("accept", -result);
      return !worker_.fault();
    }
    Connection& connection = connections_[i];
    connection.open = true;
    if (!allowed_.allows(connection.peer)) {
      close(i);
      return true;
    }
    worker_.recorder().flows[0].connections.add(1);
    connection.left = plan_.request;
    connection.idle = false;
    if (plan_.exchanges()) {
      receive(i);
    } else {
      count_served(worker_);
      ring_.reserve(kChain);
      end(i);
    }
    return true;
  }

  // Asks for as much of the request as the buffer holds, and after the last of it for all that is left to do.
  void receive(size_t i) {
    ring_.reserve(kChain);
    const Buffer& scratch = worker_.recv_buffer();
    const size_t left = connections_[i].left;
    io_uring_sqe& entry = next(kReceive, i);
    uring::receive(entry, slot(i), scratch.data(), std::min(scratch.size(), left), MSG_WAITALL);
    if (left > scratch.size()) return;
    entry.flags |= IOSQE_IO_LINK;
    io_uring_sqe& sending = next(kSend, i);
    uring::send(sending, slot(i), worker_.send_buffer().data(), plan_.response, MSG_WAITALL);
    sending.flags |= IOSQE_IO_LINK;
    end(i);
  }

  void end(size_t i) {
    const Buffer& scratch = worker_.recv_buffer();
    if (plan_.close != CloseMode::server) {
      // The client closes first; its FIN or RST ends the connection, so whatever this brings, the chain goes on.
      io_uring_sqe& draining = next(kDrain, i);
      uring::receive(draining, slot(i), scratch.data(), scratch.size(), 0);
      draining.flags |= IOSQE_IO_HARDLINK;
    }
    close(i);
  }

  void received(size_t i, int result) {
    Connection& connection = connections_[i];
    const size_t expected = std::min(worker_.recv_buffer().size(), connection.left);
    const bool last = connection.left == expected;
    connection.idle = false;
    connection.left -= expected;
    if (last) return;
    if (result == static_cast<int>(expected)) {
      receive(i);
    } else {
      close(i);
    }
  }

  void close(size_t i) { uring::close_slot(next(kClose, i), static_cast<uint32_t>(i)); }

  void closed(size_t i, int result) {
    // The chain was cut short.
    if (result == -ECANCELED) return close(i);
    connections_[i].open = false;
    free_.push_back(i);
  }

  void sweep() {
    for (size_t i = 0; i < connections_.size(); i++) {
      Connection& connection = connections_[i];
      if (connection.open && connection.idle) uring::cancel_slot(next(kCancel, i), static_cast<uint32_t>(i));
      connection.idle = true;
    }
  }

  Worker& worker_;
  const Plan& plan_;
  const AllowedPeers allowed_;
  std::vector<Connection> connections_;
  std::vector<size_t> free_;
  size_t accepts_ = 0;
  uring::WorkerRing ring_;
};

}  // namespace

void crr_server_uring(Worker& worker) { Server(worker).run(); }

}  // namespace cnb
