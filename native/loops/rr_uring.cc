// TCP_RR over io_uring: standing receives on all flows, and one system call for whatever has arrived and all the
// answers to it.

#include <algorithm>
#include <cerrno>
#include <optional>
#include <vector>

#include "core/clock.h"
#include "io/uring_flows.h"
#include "loops/loops.h"
#include "loops/rr.h"

namespace cnb {

namespace {

using uring::FlowRing;

constexpr uring::Kind kReceive = 1;
constexpr uring::Kind kSendNow = 2;
constexpr uring::Kind kSendRest = 3;
// Messages that a flow may try to send with one batch, without knowing whether the socket has room.
constexpr size_t kSendsAtOnce = 32;

class Exchanger {
 public:
  explicit Exchanger(Worker& worker)
      : worker_(worker),
        side_(worker),
        flows_(worker.flow_count()),
        ring_(worker),
        receiver_(ring_, worker, kReceive, worker.recv_buffer().size(), 0) {}

  void run() {
    const auto serve_one = [this](const Completion& done) { return serve(done); };
    if (worker_.plan().open_loop()) {
      open_.emplace(worker_, worker_.plan().burst + 1);
      return ring_.run(worker_, serve_one, [this] { return send_due(); });
    }
    if (side_.client) start();
    ring_.run(worker_, serve_one);
  }

 private:
  void start() {
    const size_t in_flight = worker_.plan().burst + 1;
    times_.assign(flows_.size(), rr::SendTimes(in_flight));
    for (size_t flow = 0; flow < flows_.size(); flow++) {
      const uint64_t now = now_ns();
      for (size_t i = 0; i < in_flight; i++) times_[flow].start(i, now);
      owe(flow, in_flight);
    }
  }

  // When there is more to send.
  uint64_t send_due() {
    open_->send_due(now_ns(), [this](size_t flow) {
      owe(flow, 1);
      return true;
    });
    return open_->next();
  }

  // False when the worker is finished.
  bool serve(const Completion& done) {
    const size_t flow = uring::number_of(done.tag);
    switch (uring::kind_of(done.tag)) {
      case kReceive: {
        const auto [nothing, result] = receiver_.take(done);
        if (nothing) return true;
        if (result <= 0) return uring::ended(worker_, flow, "recv", result);
        take(flow, static_cast<size_t>(result));
        return true;
      }
      case kSendNow:
        return sent_in_part(flow, done.result);
      default:
        return rest_sent(flow, done.result);
    }
  }

  void take(size_t flow, size_t bytes) {
    rr::Exchange& exchange = flows_[flow];
    const uint64_t now = side_.client ? now_ns() : 0;
    size_t messages = 0;
    for (exchange.have += bytes; exchange.have >= side_.in; exchange.have -= side_.in) {
      if (open_) {
        rr::complete(worker_, flow, *open_, now);
        continue;
      }
      messages++;
      if (side_.client) {
        rr::complete(worker_, flow, times_[flow], now);
      } else {
        rr::count(worker_.recorder(), flow, side_.out, side_.in);
      }
    }
    owe(flow, messages);
  }

  void owe(size_t flow, size_t messages) {
    rr::Exchange& exchange = flows_[flow];
    if (messages == 0) return;
    if (!exchange.wants_room && messages <= kSendsAtOnce && side_.together == 0) {
      for (size_t i = 0; i < messages; i++) send_now(flow);
      return;
    }
    exchange.owed += messages * side_.out;
    if (!exchange.wants_room) send_rest(flow);
  }

  // Goes out during the submission, and only what did not fit the socket is heard of again.
  void send_now(size_t flow) {
    io_uring_sqe& entry = ring_.next(uring::tag_of(kSendNow, flow));
    uring::send(entry, FlowRing::flow(flow), worker_.send_buffer().data(), side_.out, MSG_DONTWAIT | MSG_WAITALL);
    entry.flags |= uring::kSkipSuccess;
  }

  bool sent_in_part(size_t flow, int32_t result) {
    if (result < 0 && result != -EAGAIN) return uring::ended(worker_, flow, "send", result);
    rr::Exchange& exchange = flows_[flow];
    exchange.owed += side_.out - static_cast<size_t>(std::max(result, 0));
    if (!exchange.wants_room) send_rest(flow);
    return true;
  }

  // Waits in the kernel for room; one at a time per flow.
  void send_rest(size_t flow) {
    rr::Exchange& exchange = flows_[flow];
    exchange.wants_room = true;
    io_uring_sqe& entry = ring_.next(uring::tag_of(kSendRest, flow));
    const size_t size = exchange.next_send(side_.out, side_.together);
    uring::send(entry, FlowRing::flow(flow), worker_.send_buffer().data(), size, MSG_WAITALL);
  }

  bool rest_sent(size_t flow, int32_t result) {
    if (result < 0) return uring::ended(worker_, flow, "send", result);
    rr::Exchange& exchange = flows_[flow];
    exchange.owed -= static_cast<uint64_t>(result);
    exchange.wants_room = false;
    if (exchange.owed > 0) send_rest(flow);
    return true;
  }

  Worker& worker_;
  const rr::Side side_;
  std::vector<rr::Exchange> flows_;
  std::vector<rr::SendTimes> times_;
  std::optional<OpenLoop> open_;
  FlowRing ring_;
  uring::FlowReceiver receiver_;
};

}  // namespace

void rr_uring(Worker& worker) { Exchanger(worker).run(); }

}  // namespace cnb
