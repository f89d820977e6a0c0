#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "engine/worker.h"
#include "loops/open_loop.h"

// What the engines of TCP_RR share.
namespace cnb::rr {

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

inline void count(Recorder& recorder, size_t flow, size_t sent, size_t received) {
  FlowCounters& counters = recorder.flows[flow];
  counters.transactions.add(1);
  counters.bytes_sent.add(sent);
  counters.bytes_received.add(received);
}

// The end of one transaction is the start of the next: one clock read serves both.
inline void complete(Worker& worker, size_t flow, SendTimes& times, uint64_t now) {
  Recorder& recorder = worker.recorder();
  recorder.latency->latency.record(now - times.replace_oldest(now));
  count(recorder, flow, worker.plan().request, worker.plan().response);
}

// The same in an open loop, where the start is when the request was due.
inline void complete(Worker& worker, size_t flow, OpenLoop& open, uint64_t now) {
  Recorder& recorder = worker.recorder();
  recorder.latency->latency.record(now - open.settle(flow));
  count(recorder, flow, worker.plan().request, worker.plan().response);
}

// How one flow stands. Bytes are uniform, so what is owed is a number of bytes, sent message by message.
struct Exchange {
  size_t have = 0;    // of the incoming message
  uint64_t owed = 0;  // bytes still to send
  bool wants_room = false;

  // The next send: as much as `together` allows, or message by message (0): what is left of one that was sent in part,
  // else a whole one.
  size_t next_send(size_t message, size_t together) const {
    if (together > 0) return static_cast<size_t>(std::min<uint64_t>(owed, together));
    const size_t rest = owed % message;
    return rest == 0 ? message : rest;
  }
};

// One side of a worker's flows, whichever engine carries them.
struct Side {
  explicit Side(Worker& worker)
      : client(worker.plan().role == Role::client),
        in(client ? worker.plan().response : worker.plan().request),
        out(client ? worker.plan().request : worker.plan().response),
        together(worker.plan().coalesce ? worker.send_buffer().size() : 0) {}

  const bool client;
  // Sizes of the messages that come and go, bytes.
  const size_t in;
  const size_t out;
  // What one send may take of messages that are due together; 0: each is sent by itself.
  const size_t together;
};

}  // namespace cnb::rr
