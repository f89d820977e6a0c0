// TCP_STREAM over io_uring: standing receives, and sends under way on every flow.

#include <sys/socket.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "io/low_water.h"
#include "io/uring_flows.h"
#include "io/zerocopy.h"
#include "loops/loops.h"

namespace cnb {

namespace {

using uring::FlowRing;

constexpr uring::Kind kSend = 1;
constexpr uring::Kind kReceive = 2;

// Small sends are kept under way by the batch, so that one system call carries about this much; of large ones, where
// the call hardly counts, one is enough.
constexpr size_t kBatchBytes = 64 * 1024;
constexpr size_t kMostSends = 32;

size_t sends_under_way(size_t send_size) { return std::clamp<size_t>(kBatchBytes / send_size, 1, kMostSends); }

// Of a huge page, which the kernel knows by one entry, it charges the sender's and on one host the receiver's buffer
// for all that is before the data, too (io_sg_from_iter in io_uring/net.c): windows close over next to nothing.
Buffer pages_for(const Worker& worker) {
  const size_t send_size = worker.plan().send_size;
  return Buffer::of_small_pages(send_size * SendSlots::count_for(send_size, worker.flow_count()));
}

// Zero-copy sends. The kernel has the memory of each until its notification, which may be long after the completion
// that says how much was sent. The ring has no table of the flows: giving one up waits on older kernels for
// notifications of all sends, which for a peer that is gone do not come before its sockets are closed.
class ZerocopySender {
 public:
  explicit ZerocopySender(Worker& worker)
      : worker_(worker),
        slots_(worker.plan().send_size, pages_for(worker)),
        sends_(slots_.count()),
        in_flight_(worker.flow_count()),
        ring_(worker, slots_.count()) {
    ring_.register_buffer(slots_.memory());
    const size_t each = sends_under_way(slots_.send_size());
    line_.reserve(each * worker.flow_count());
    turn_.reserve(each * worker.flow_count());
    for (size_t i = 0; i < each; i++) {
      for (size_t flow = 0; flow < worker.flow_count(); flow++) line_.push_back(static_cast<uint32_t>(flow));
    }
  }

  void run() {
    const auto take = [this](const Completion& done) { return serve(done); };
    const auto prepare = [this] {
      send_in_turn();
      return UINT64_MAX;
    };
    ring_.run(worker_, take, prepare);
    // Sends still under way can carry nothing more.
    for (size_t flow = 0; flow < worker_.flow_count(); flow++) shutdown(worker_.flow_fd(flow), SHUT_WR);
    drain();
  }

 private:
  struct Send {
    uint32_t flow;
    uint64_t bytes;
    ZerocopyCounters* counters;
  };

  // Those that may send do; the others keep their places.
  void send_in_turn() {
    if (!slots_.any()) return;
    std::swap(line_, turn_);
    for (const uint32_t flow : turn_) {
      if (slots_.any() && in_flight_[flow] < SendSlots::kSendsPerFlow) {
        send(flow);
      } else {
        line_.push_back(flow);
      }
    }
    turn_.clear();
  }

  void send(uint32_t flow) {
    const uint32_t slot = slots_.take();
    sends_[slot] = {flow, 0, nullptr};
    in_flight_[flow]++;
    const uring::Target to{worker_.flow_fd(flow), false};
    uring::send_zerocopy(ring_.next(uring::tag_of(kSend, slot)), to, slots_.data(slot), slots_.send_size());
  }

  bool serve(const Completion& done) {
    const auto slot = static_cast<uint32_t>(uring::number_of(done.tag));
    const uint32_t flow = sends_[slot].flow;
    note(done);
    if (done.notification()) return true;
    if (done.result < 0) return uring::ended(worker_, flow, "send", done.result);
    line_.push_back(flow);
    return true;
  }

  // Counts, and frees the slot with the last completion of its send.
  void note(const Completion& done) {
    const auto slot = static_cast<uint32_t>(uring::number_of(done.tag));
    Send& sent = sends_[slot];
    if (done.notification()) {
      if (sent.counters) (done.copied() ? sent.counters->copied : sent.counters->zero_copied).add(sent.bytes);
    } else if (done.result > 0) {
      Recorder& recorder = worker_.recorder();
      sent.bytes = static_cast<uint64_t>(done.result);
      sent.counters = &recorder.zerocopy;
      recorder.flows[sent.flow].bytes_sent.add(sent.bytes);
      recorder.zerocopy.requested.add(sent.bytes);
    }
    if (done.more()) return;
    in_flight_[sent.flow]--;
    slots_.give_back(slot);
  }

  // Sends that the kernel has not told of by then are counted as asked for only, and keep their pages, whatever becomes
  // of this mapping of them: the kernel has pinned them until it is done.
  void drain() {
    const uint64_t until = now_ns() + kZerocopyDrainNs;
    const auto count = [this](const Completion& done) {
      if (uring::kind_of(done.tag) == kSend) note(done);
      return true;
    };
    ring_.reap(count);
    while (!slots_.all_free() && now_ns() < until) {
      ring_.submit_and_wait(uring::ns_until(until));
      ring_.reap(count);
    }
    if (slots_.all_free()) ring_.unregister_buffer();
  }

  Worker& worker_;
  SendSlots slots_;
  std::vector<Send> sends_;  // by slot
  std::vector<uint32_t> in_flight_;
  std::vector<uint32_t> line_;  // flows that are to send, as often as each is
  std::vector<uint32_t> turn_;
  uring::WorkerRing ring_;  // the first to go
};

}  // namespace

void send_uring(Worker& worker) {
  if (worker.plan().zerocopy == Zerocopy::msg) return ZerocopySender(worker).run();
  FlowRing ring(worker);
  const Buffer& buffer = worker.send_buffer();
  const auto send = [&](size_t flow) {
    uring::send(ring.next(uring::tag_of(kSend, flow)), FlowRing::flow(flow), buffer.data(), buffer.size(), 0);
  };
  const size_t sends = sends_under_way(buffer.size());
  for (size_t flow = 0; flow < worker.flow_count(); flow++) {
    for (size_t i = 0; i < sends; i++) send(flow);
  }
  const auto count = [&](const Completion& done) {
    if (uring::kind_of(done.tag) != kSend || done.result < 0) return true;
    worker.recorder().flows[uring::number_of(done.tag)].bytes_sent.add(static_cast<uint64_t>(done.result));
    return true;
  };
  ring.run(worker, [&](const Completion& done) {
    const size_t flow = uring::number_of(done.tag);
    if (done.result < 0) return uring::ended(worker, flow, "send", done.result);
    count(done);
    send(flow);
    return true;
  });
  // Sends still under way can carry nothing more, and what they have carried is counted.
  for (size_t flow = 0; flow < worker.flow_count(); flow++) shutdown(worker.flow_fd(flow), SHUT_WR);
  ring.reap(count);
}

void receive_uring(Worker& worker) {
  FlowRing ring(worker);
  LowWater low_water(worker);
  const Plan& plan = worker.plan();
  // With MSG_TRUNC the kernel drops the bytes without copying them (tcp(7)).
  uring::FlowReceiver receiver(ring, worker, kReceive, plan.recv_size, plan.rx == Rx::trunc ? MSG_TRUNC : 0);
  size_t left = worker.flow_count();
  ring.run(worker, [&](const Completion& done) {
    const size_t flow = uring::number_of(done.tag);
    const auto [nothing, result] = receiver.take(done);
    if (nothing) return true;
    if (result <= 0) return uring::ended(worker, flow, "recv", result) && --left > 0;
    worker.recorder().flows[flow].bytes_received.add(static_cast<uint64_t>(result));
    low_water.took(worker.flow_fd(flow), flow, static_cast<size_t>(result));
    return true;
  });
}

}  // namespace cnb
