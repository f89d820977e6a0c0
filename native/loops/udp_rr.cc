// UDP_RR: a request and its response, a datagram each.

#include "loops/udp_rr.h"

#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/clock.h"
#include "engine/udp_setup.h"
#include "io/block.h"
#include "io/busy_poll.h"
#include "io/calls.h"
#include "io/datagrams.h"
#include "io/pause.h"
#include "io/readiness.h"
#include "loops/loops.h"
#include "loops/rr.h"

namespace cnb {

namespace udp_rr {

bool UnderWay::has(uint64_t tag) const {
  for (size_t i = 0; i < count_; i++) {
    if (at(i).tag == tag) return true;
  }
  return false;
}

// Answers mostly come in order: the one that is looked for is the oldest, or comes after a few that are lost.
std::optional<UnderWay::Request> UnderWay::take(uint64_t tag) {
  size_t i = 0;
  while (i < count_ && at(i).tag != tag) i++;
  if (i == count_) return std::nullopt;
  const Request found = at(i);
  for (; i > 0; i--) at(i) = at(i - 1);
  take_oldest();
  return found;
}

UnderWay::Request UnderWay::take_oldest() {
  const Request oldest = ring_[first_];
  first_ = (first_ + 1) & (ring_.size() - 1);
  count_--;
  return oldest;
}

Requests::Requests(Worker& worker, int send_flags)
    : worker_(worker),
      send_flags_(send_flags | MSG_NOSIGNAL),
      patience_ns_(static_cast<uint64_t>(worker.plan().udp->retry_ms) * 1'000'000),
      tag_bytes_(worker.plan().tag_bytes()),
      tag_mask_(tag_bytes_ == 8 ? UINT64_MAX : (uint64_t{1} << (8 * tag_bytes_)) - 1),
      flows_(worker.flow_count(), UnderWay(worker.plan().burst + 1)),
      look_at_(patience_ns_ == 0 ? UINT64_MAX : now_ns() + patience_ns_) {
  if (worker.plan().open_loop()) open_.emplace(worker, worker.plan().burst + 1);
}

bool Requests::begin() {
  if (open_) return true;
  for (size_t flow = 0; flow < flows_.size(); flow++) {
    for (size_t i = 0; i <= worker_.plan().burst; i++) {
      const uint64_t now = now_ns();
      if (!send(flow, now, now)) return false;
    }
  }
  return true;
}

bool Requests::send_due(uint64_t now) {
  return !open_ || open_->send_due(now, [&](size_t flow) { return send(flow, now, open_->newest_due(flow)); });
}

// Short tags come again soon, but never while another request has them.
uint64_t Requests::next_tag(size_t flow) {
  do {
    last_tag_ = (last_tag_ + 1) & tag_mask_;
  } while (tag_bytes_ < 4 && flows_[flow].has(last_tag_));
  return last_tag_;
}

// A request that could not be sent for want of memory is as good as lost.
bool Requests::send(size_t flow, uint64_t now, uint64_t start) {
  const uint64_t tag = next_tag(flow);
  flows_[flow].add({tag, now, start});
  uint8_t* request = worker_.send_buffer().data();
  std::memcpy(request, &tag, tag_bytes_);
  const int fd = worker_.flow_fd(flow);
  DatagramCounters& counters = worker_.recorder().flows[flow].datagrams;
  if (calls::send(fd, request, worker_.plan().request, send_flags_) >= 0) {
    counters.sent.add(1);
    return true;
  }
  const int err = errno;
  if (would_block(err) || err == ENOBUFS || err == ENOMEM) {
    counters.refused.add(1);
    return true;
  }
  worker_.fail("send", err, fd);
  return !worker_.fault();
}

std::optional<UnderWay::Request> Requests::request_of(size_t flow, const uint8_t* data, size_t size) {
  UnderWay& under_way = flows_[flow];
  // A foreign server's answers say nothing of their requests.
  if (worker_.plan().foreign) return under_way.empty() ? std::nullopt : std::optional(under_way.take_oldest());
  if (size != worker_.plan().response) return std::nullopt;
  uint64_t tag = 0;
  std::memcpy(&tag, data, tag_bytes_);
  return under_way.take(tag);
}

bool Requests::take(size_t flow, const uint8_t* data, size_t size) {
  const Plan& plan = worker_.plan();
  if (!plan.foreign && is_hello(data, size, plan.cookie)) return true;
  const uint64_t now = now_ns();
  const std::optional<UnderWay::Request> request = request_of(flow, data, size);
  Recorder& recorder = worker_.recorder();
  DatagramCounters& counters = recorder.flows[flow].datagrams;
  counters.received.add(1);
  if (!request) {
    counters.late.add(1);
    return true;
  }
  recorder.latency->latency.record(now - request->start);
  rr::count(recorder, flow, plan.request, plan.response);
  answered_++;
  if (open_) {
    open_->settle(flow);
    return true;
  }
  return (plan.foreign && finished()) || send(flow, now, now);
}

bool Requests::expire(uint64_t now) {
  if (now < look_at_) return true;
  look_at_ = now + patience_ns_;
  for (size_t flow = 0; flow < flows_.size(); flow++) {
    while (!flows_[flow].empty() && now - flows_[flow].oldest().sent >= patience_ns_) {
      if (!give_up(flow, now)) return false;
    }
    if (!flows_[flow].empty()) look_at_ = std::min(look_at_, flows_[flow].oldest().sent + patience_ns_);
  }
  return true;
}

bool Requests::give_up(size_t flow, uint64_t now) {
  flows_[flow].take_oldest();
  worker_.recorder().flows[flow].datagrams.lost.add(1);
  if (!open_) return send(flow, now, now);
  open_->settle(flow);
  return true;
}

void answer(Worker& worker, size_t flow, const uint8_t* request, size_t size, int flags) {
  const Plan& plan = worker.plan();
  if (size != plan.request || is_hello(request, size, plan.cookie)) return;
  uint8_t* response = worker.send_buffer().data();
  std::memcpy(response, request, plan.tag_bytes());
  Recorder& recorder = worker.recorder();
  DatagramCounters& counters = recorder.flows[flow].datagrams;
  counters.received.add(1);
  // Whatever keeps it from leaving: to its client it is lost.
  if (calls::send(worker.flow_fd(flow), response, plan.response, flags | MSG_NOSIGNAL) < 0) {
    counters.refused.add(1);
    return;
  }
  counters.sent.add(1);
  rr::count(recorder, flow, plan.response, plan.request);
}

}  // namespace udp_rr

namespace {

using udp_rr::Requests;

// Beyond a request's patience, so that it is over when the receive gives up; of foreign peers' flows, to look whether
// they are to end.
void limit_receives(int fd, const Plan& plan) {
  constexpr int kMarginMs = 10;
  constexpr int kLookMs = 50;
  int ms = plan.udp->retry_ms == 0 ? 0 : plan.udp->retry_ms + kMarginMs;
  if (plan.foreign) ms = ms == 0 ? kLookMs : std::min(ms, kLookMs);
  const timeval timeout{ms / 1000, (ms % 1000) * 1000};
  if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout) != 0) throw_errno("setsockopt", "SO_RCVTIMEO");
}

// Like all the loops, false when the worker is finished.
bool receive_answer(Worker& worker, Requests& requests) {
  const Buffer& buffer = worker.recv_buffer();
  const int fd = worker.flow_fd(0);
  const ssize_t n = recv_some(fd, buffer.data(), buffer.size());
  if (n > 0) return requests.take(0, buffer.data(), static_cast<size_t>(n));
  if (n == 0 || would_block(errno)) return true;
  worker.fail("recv", errno, fd);
  return !worker.fault();
}

// A foreign client's requests come from wherever it is, to a socket that is connected to nobody.
void serve_foreign(Worker& worker) {
  const Plan& plan = worker.plan();
  const Buffer& buffer = worker.recv_buffer();
  const int fd = worker.flow_fd(0);
  KnownPeers peers(plan);
  while (!worker.stopping()) {
    Address peer;
    socklen_t size = Address::capacity();
    const ssize_t n = recvfrom(fd, buffer.data(), buffer.size(), 0, peer.raw(), &size);
    if (n < 0 && !would_block(errno) && errno != ECONNREFUSED) return worker.fail("recv", errno, fd);
    // The session's stop ends the waiting with a message of no bytes from nowhere.
    if (n < 0 || size == 0 || !peers.admits(peer)) continue;
    if (n == 0) return worker.fail_peer_closed(fd);
    FlowCounters& counters = worker.recorder().flows[0];
    counters.datagrams.received.add(1);
    if (sendto(fd, worker.send_buffer().data(), plan.response, MSG_NOSIGNAL, peer.raw(), peer.size()) < 0) continue;
    counters.datagrams.sent.add(1);
    rr::count(worker.recorder(), 0, plan.response, plan.request);
    if (worker.reached_limit(counters.transactions.load())) return;
  }
}

// Any number of flows per worker, for the engines epoll and spin.
template <typename Readiness>
class Exchanger {
 public:
  explicit Exchanger(Worker& worker) : worker_(worker), ready_(worker) {
    for (size_t i = 0; i < worker.flow_count(); i++) ready_.watch(worker.flow_fd(i), EPOLLIN, i);
  }

  void ask() {
    Requests requests(worker_, MSG_DONTWAIT);
    const auto serve = [&](size_t flow, uint32_t) {
      const ssize_t n = receive(flow);
      if (n > 0) return requests.take(flow, worker_.recv_buffer().data(), static_cast<size_t>(n));
      return n == 0 || would_block(errno) || fail(flow);
    };
    if (!requests.begin()) return;
    while (!worker_.stopping()) {
      const uint64_t now = now_ns();
      if (!requests.expire(now) || !requests.send_due(now)) return;
      ready_.wake_at(requests.next());
      if (!ready_.round(-1, serve)) return;
    }
  }

  void answer() {
    const auto serve = [this](size_t flow, uint32_t) { return answer_one(flow); };
    while (!worker_.stopping() && ready_.round(-1, serve)) {
    }
  }

 private:
  ssize_t receive(size_t flow) {
    const Buffer& buffer = worker_.recv_buffer();
    const ssize_t n = recv_some(worker_.flow_fd(flow), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (n > 0) ready_.progress();
    return n;
  }

  bool answer_one(size_t flow) {
    const ssize_t n = receive(flow);
    // That a client is gone its control connection tells.
    if (n < 0) return would_block(errno) || errno == ECONNREFUSED || fail(flow);
    udp_rr::answer(worker_, flow, worker_.recv_buffer().data(), static_cast<size_t>(n), MSG_DONTWAIT);
    return true;
  }

  bool fail(size_t flow) {
    worker_.fail("recv", errno, worker_.flow_fd(flow));
    return !worker_.fault();
  }

  Worker& worker_;
  Readiness ready_;
};

template <typename Readiness>
void exchange(Worker& worker) {
  Exchanger<Readiness> exchanger(worker);
  if (worker.plan().role == Role::client) {
    exchanger.ask();
  } else {
    exchanger.answer();
  }
}

}  // namespace

void udp_rr_client_block(Worker& worker) {
  const Plan& plan = worker.plan();
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  limit_receives(fd, plan);
  Pause pause(worker);
  Requests requests(worker, 0);
  if (!requests.begin()) return;
  while (!worker.stopping() && !(plan.foreign && requests.finished())) {
    const uint64_t now = now_ns();
    if (!requests.expire(now) || !requests.send_due(now)) return;
    if (plan.open_loop() && !pause.until(requests.next(), fd)) continue;
    if (!receive_answer(worker, requests)) return;
  }
  if (plan.foreign) end_by_datagrams(fd);
}

void udp_rr_server_block(Worker& worker) {
  const int fd = worker.flow_fd(0);
  worker.slot().publish(fd);
  if (worker.plan().foreign) return serve_foreign(worker);
  const Buffer& buffer = worker.recv_buffer();
  while (!worker.stopping()) {
    const ssize_t n = recv_some(fd, buffer.data(), buffer.size());
    if (n > 0) udp_rr::answer(worker, 0, buffer.data(), static_cast<size_t>(n), 0);
    if (n < 0 && !would_block(errno) && errno != ECONNREFUSED) return worker.fail("recv", errno, fd);
  }
}

void udp_rr_epoll(Worker& worker) { exchange<EpollReadiness>(worker); }

void udp_rr_spin(Worker& worker) {
  ask_for_busy_poll(worker);
  exchange<SpinReadiness>(worker);
}

}  // namespace cnb
