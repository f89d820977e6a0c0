// TCP_RR: a request and its response, again and again, on flows that stay open.

#include <algorithm>
#include <vector>

#include "core/clock.h"
#include "core/epoll_set.h"
#include "io/block.h"
#include "loops/loops.h"

namespace cnb {

namespace {

constexpr uint64_t kStopTag = UINT64_MAX;

// When each request in flight was sent, oldest first; TCP answers in order.
class SendTimes {
 public:
  explicit SendTimes(size_t in_flight) : times_(in_flight) {}
  void start(size_t i, uint64_t now) { times_[i] = now; }
  // Takes the oldest and puts the request that follows it in its place.
  uint64_t replace_oldest(uint64_t now) {
    const uint64_t sent = times_[oldest_];
    times_[oldest_] = now;
    if (++oldest_ == times_.size()) oldest_ = 0;
    return sent;
  }

 private:
  std::vector<uint64_t> times_;
  size_t oldest_ = 0;
};

void count(const Plan& plan, Recorder& recorder, size_t flow) {
  FlowCounters& counters = recorder.flows[flow];
  const bool client = plan.role == Role::client;
  counters.transactions.add(1);
  counters.bytes_sent.add(client ? plan.request : plan.response);
  counters.bytes_received.add(client ? plan.response : plan.request);
}

// The end of one transaction is the start of the next: one clock read serves both.
void complete(Worker& worker, size_t flow, SendTimes& times, uint64_t now) {
  Recorder& recorder = worker.recorder();
  recorder.latency->latency.record(now - times.replace_oldest(now));
  count(worker.plan(), recorder, flow);
}

// One flow of an epoll worker. Bytes are uniform, so what is owed is a number of bytes, sent message by message.
struct Exchange {
  size_t have = 0;    // of the incoming message
  uint64_t owed = 0;  // bytes still to send
  bool wants_room = false;
};

class EpollExchanger {
 public:
  explicit EpollExchanger(Worker& worker)
      : worker_(worker),
        client_(worker.plan().role == Role::client),
        in_(client_ ? worker.plan().response : worker.plan().request),
        out_(client_ ? worker.plan().request : worker.plan().response),
        flows_(worker.flow_count()) {
    set_.add(worker.stop_event(), EPOLLIN, kStopTag);
    for (size_t i = 0; i < flows_.size(); i++) set_.add(worker.flow_fd(i), EPOLLIN, i);
  }

  void run() {
    if (client_ && !start()) return;
    while (!worker_.stopping()) {
      for (const epoll_event& event : set_.wait(-1)) {
        if (event.data.u64 != kStopTag && !serve(event.data.u64, event.events)) return;
      }
    }
  }

 private:
  bool start() {
    const size_t in_flight = worker_.plan().burst + 1;
    times_.assign(flows_.size(), SendTimes(in_flight));
    for (size_t flow = 0; flow < flows_.size(); flow++) {
      for (size_t i = 0; i < in_flight; i++) {
        times_[flow].start(i, now_ns());
        if (!owe(flow)) return false;
      }
    }
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
    return take(flow, static_cast<size_t>(n));
  }

  bool take(size_t flow, size_t bytes) {
    Exchange& exchange = flows_[flow];
    exchange.have += bytes;
    while (exchange.have >= in_) {
      exchange.have -= in_;
      if (client_) {
        complete(worker_, flow, times_[flow], now_ns());
      } else {
        count(worker_.plan(), worker_.recorder(), flow);
      }
      if (!owe(flow)) return false;
    }
    return true;
  }

  bool owe(size_t flow) {
    flows_[flow].owed += out_;
    return flows_[flow].wants_room || flush(flow);
  }

  // Sends what is owed until the socket is full; then waits for room.
  bool flush(size_t flow) {
    Exchange& exchange = flows_[flow];
    const int fd = worker_.flow_fd(flow);
    while (exchange.owed > 0) {
      const size_t rest = exchange.owed % out_;
      const size_t size = rest == 0 ? out_ : rest;
      const ssize_t n = send(fd, worker_.send_buffer().data(), size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && would_block(errno)) break;
      if (n < 0) return ended(flow, false);
      exchange.owed -= static_cast<uint64_t>(n);
    }
    const bool wants_room = exchange.owed > 0;
    if (wants_room != exchange.wants_room) {
      set_.modify(fd, wants_room ? EPOLLIN | EPOLLOUT : EPOLLIN, flow);
      exchange.wants_room = wants_room;
    }
    return true;
  }

  // A flow that ends in wind-down is no fault: the others go on.
  bool ended(size_t flow, bool closed) {
    const int err = errno;
    const int fd = worker_.flow_fd(flow);
    set_.remove(fd);
    if (closed) {
      worker_.fail_peer_closed(fd);
    } else {
      worker_.fail("recv", err, fd);
    }
    return !worker_.fault();
  }

  Worker& worker_;
  const bool client_;
  const size_t in_;
  const size_t out_;
  EpollSet set_;
  std::vector<Exchange> flows_;
  std::vector<SendTimes> times_;
};

}  // namespace

void rr_client_block(Worker& worker) {
  const Plan& plan = worker.plan();
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  const uint8_t* request = worker.send_buffer().data();
  Buffer& scratch = worker.recv_buffer();

  SendTimes times(plan.burst + 1);
  for (size_t i = 0; i <= plan.burst; i++) {
    times.start(i, now_ns());
    if (!send_all(fd, request, plan.request)) return worker.fail("send", errno, fd);
  }
  size_t have = 0;
  uint64_t done = 0;
  while (!worker.stopping()) {
    const ssize_t n = recv_some(fd, scratch.data(), scratch.size());
    if (n <= 0) return n == 0 ? worker.fail_peer_closed(fd) : worker.fail("recv", errno, fd);
    for (have += static_cast<size_t>(n); have >= plan.response; have -= plan.response) {
      complete(worker, 0, times, now_ns());
      if (plan.foreign && (worker.reached_limit(++done) || worker.finishing())) return end_in_band(fd);
      if (!send_all(fd, request, plan.request)) return worker.fail("send", errno, fd);
    }
  }
}

void rr_server_block(Worker& worker) {
  const Plan& plan = worker.plan();
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  Buffer& scratch = worker.recv_buffer();
  size_t have = 0;
  while (!worker.stopping()) {
    const ssize_t n = recv_some(fd, scratch.data(), scratch.size());
    if (n <= 0) return n == 0 ? worker.fail_peer_closed(fd) : worker.fail("recv", errno, fd);
    for (have += static_cast<size_t>(n); have >= plan.request; have -= plan.request) {
      if (!send_all(fd, worker.send_buffer().data(), plan.response)) return worker.fail("send", errno, fd);
      count(plan, worker.recorder(), 0);
    }
  }
}

void rr_client_epoll(Worker& worker) { EpollExchanger(worker).run(); }

void rr_server_epoll(Worker& worker) { EpollExchanger(worker).run(); }

}  // namespace cnb
