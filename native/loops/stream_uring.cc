// TCP_STREAM over io_uring: standing receives, and sends under way on every flow.

#include <sys/socket.h>

#include <algorithm>

#include "io/low_water.h"
#include "io/uring_flows.h"
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

}  // namespace

void send_uring(Worker& worker) {
  FlowRing ring(worker);
  const Buffer& buffer = worker.send_buffer();
  const auto send = [&](size_t flow) {
    uring::send(ring.next(uring::tag_of(kSend, flow)), FlowRing::flow(flow), buffer.data(), buffer.size(), 0);
  };
  const size_t sends = std::clamp<size_t>(kBatchBytes / buffer.size(), 1, kMostSends);
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
