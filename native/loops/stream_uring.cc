// TCP_STREAM over io_uring: standing receives, and sends under way on every flow.

#include <algorithm>

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
  ring.run(worker, [&](const Completion& done) {
    const size_t flow = uring::number_of(done.tag);
    if (done.result < 0) return uring::ended(worker, flow, "send", done.result);
    worker.recorder().flows[flow].bytes_sent.add(static_cast<uint64_t>(done.result));
    send(flow);
    return true;
  });
}

void receive_uring(Worker& worker) {
  FlowRing ring(worker);
  uring::FlowReceiver receiver(ring, worker, kReceive, worker.plan().recv_size);
  ring.run(worker, [&](const Completion& done) {
    const size_t flow = uring::number_of(done.tag);
    const auto [nothing, result] = receiver.take(done);
    if (nothing) return true;
    if (result <= 0) return uring::ended(worker, flow, "recv", result);
    worker.recorder().flows[flow].bytes_received.add(static_cast<uint64_t>(result));
    return true;
  });
}

}  // namespace cnb
