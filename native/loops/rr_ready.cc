// TCP_RR with any number of flows per worker: those that epoll reports (engine epoll), or all in turn (engine spin).

#include <cerrno>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "io/block.h"
#include "io/busy_poll.h"
#include "io/calls.h"
#include "io/readiness.h"
#include "loops/loops.h"
#include "loops/rr.h"

namespace cnb {

namespace {

template <typename Readiness>
class Exchanger {
 public:
  explicit Exchanger(Worker& worker) : worker_(worker), side_(worker), ready_(worker), flows_(worker.flow_count()) {
    for (size_t i = 0; i < flows_.size(); i++) ready_.watch(worker.flow_fd(i), EPOLLIN, i);
  }

  void run() {
    const auto serve_one = [this](size_t flow, uint32_t events) { return serve(flow, events); };
    if (worker_.plan().open_loop()) {
      open_.emplace(worker_, worker_.plan().burst + 1);
      while (!worker_.stopping() && send_due() && ready_.round(-1, serve_one)) {
      }
      return;
    }
    if (side_.client && !start()) return;
    while (!worker_.stopping() && ready_.round(-1, serve_one)) {
    }
  }

 private:
  bool start() {
    const size_t in_flight = worker_.plan().burst + 1;
    times_.assign(flows_.size(), rr::SendTimes(in_flight));
    for (size_t flow = 0; flow < flows_.size(); flow++) {
      for (size_t i = 0; i < in_flight; i++) {
        times_[flow].start(i, now_ns());
        if (!owe(flow)) return false;
      }
      if (!settle(flow)) return false;
    }
    return true;
  }

  bool send_due() {
    if (!open_->send_due(now_ns(), [this](size_t flow) { return owe(flow); })) return false;
    ready_.wake_at(open_->next());
    return true;
  }

  // False when the worker is finished.
  bool serve(size_t flow, uint32_t events) {
    if (events & EPOLLOUT && !flush(flow)) return false;
    if (!(events & (EPOLLIN | EPOLLERR | EPOLLHUP))) return true;
    Buffer& buffer = worker_.recv_buffer();
    const int fd = worker_.flow_fd(flow);
    const ssize_t n = recv_some(fd, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n < 0 && would_block(errno)) return true;
    if (n <= 0) return ended(flow, n == 0);
    ready_.progress();
    return take(flow, static_cast<size_t>(n));
  }

  bool take(size_t flow, size_t bytes) {
    rr::Exchange& exchange = flows_[flow];
    exchange.have += bytes;
    while (exchange.have >= side_.in) {
      exchange.have -= side_.in;
      if (open_) {
        rr::complete(worker_, flow, *open_, now_ns());
        continue;
      }
      if (side_.client) {
        rr::complete(worker_, flow, times_[flow], now_ns());
      } else {
        rr::count(worker_.recorder(), flow, side_.out, side_.in);
      }
      if (!owe(flow)) return false;
    }
    return settle(flow);
  }

  // One message more; together with others it waits for settle().
  bool owe(size_t flow) {
    flows_[flow].owed += side_.out;
    return side_.together > 0 || flows_[flow].wants_room || flush(flow);
  }

  bool settle(size_t flow) { return flows_[flow].owed == 0 || flows_[flow].wants_room || flush(flow); }

  // Sends what is owed until the socket is full; then waits for room.
  bool flush(size_t flow) {
    rr::Exchange& exchange = flows_[flow];
    const int fd = worker_.flow_fd(flow);
    while (exchange.owed > 0) {
      const size_t size = exchange.next_send(side_.out, side_.together);
      const ssize_t n = calls::send(fd, worker_.send_buffer().data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && would_block(errno)) break;
      if (n < 0) return ended(flow, false);
      ready_.progress();
      exchange.owed -= static_cast<uint64_t>(n);
    }
    const bool wants_room = exchange.owed > 0;
    if (wants_room != exchange.wants_room) {
      ready_.change(fd, wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN, flow);
      exchange.wants_room = wants_room;
    }
    return true;
  }

  // A flow that ends in wind-down is no fault: the others go on.
  bool ended(size_t flow, bool closed) {
    const int err = errno;
    const int fd = worker_.flow_fd(flow);
    ready_.forget(fd, flow);
    if (closed) {
      worker_.fail_peer_closed(fd);
    } else {
      worker_.fail("recv", err, fd);
    }
    return !worker_.fault();
  }

  Worker& worker_;
  const rr::Side side_;
  Readiness ready_;
  std::vector<rr::Exchange> flows_;
  std::vector<rr::SendTimes> times_;
  std::optional<OpenLoop> open_;
};

}  // namespace

void rr_epoll(Worker& worker) { Exchanger<EpollReadiness>(worker).run(); }

void rr_spin(Worker& worker) {
  ask_for_busy_poll(worker);
  Exchanger<SpinReadiness>(worker).run();
}

}  // namespace cnb
