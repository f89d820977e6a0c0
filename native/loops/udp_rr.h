#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "engine/worker.h"
#include "loops/open_loop.h"

// What the engines of UDP_RR share. Request and response are a datagram each and begin with the same tag, so that an
// answer is known by its request; what has no answer in time is lost, counts as that and in no latency, and the flow
// goes on with another in its place.
namespace cnb::udp_rr {

// The requests of one flow that are under way, in the order in which they were sent.
class UnderWay {
 public:
  struct Request {
    uint64_t tag;
    uint64_t sent;   // ns
    uint64_t start;  // what its latency counts from, ns: when it was sent, or in an open loop when it was due
  };

  explicit UnderWay(size_t most) : ring_(std::bit_ceil(most)) {}

  bool empty() const { return count_ == 0; }
  const Request& oldest() const { return ring_[first_]; }
  void add(const Request& request) { at(count_++) = request; }
  bool has(uint64_t tag) const;
  // Takes the one of that tag; nothing where it is not under way (any more).
  std::optional<Request> take(uint64_t tag);
  Request take_oldest();

 private:
  Request& at(size_t i) { return ring_[(first_ + i) & (ring_.size() - 1)]; }
  const Request& at(size_t i) const { return ring_[(first_ + i) & (ring_.size() - 1)]; }

  std::vector<Request> ring_;
  size_t first_ = 0;
  size_t count_ = 0;
};

// The client's side of a worker's flows, whichever engine waits for their answers. What returns bool is false when the
// worker is finished.
class Requests {
 public:
  // `send_flags`: of send(2).
  Requests(Worker& worker, int send_flags);

  // Sends what each flow may have under way; nothing in an open loop.
  bool begin();
  // Open loop: sends what is due.
  bool send_due(uint64_t now);
  // A datagram that came.
  bool take(size_t flow, const uint8_t* data, size_t size);
  // Gives up what has waited for too long.
  bool expire(uint64_t now);
  // When there is something to do that no datagram brings about, ns; UINT64_MAX: never.
  uint64_t next() const { return open_ ? std::min(look_at_, open_->next()) : look_at_; }
  // Foreign peers: whether the flow has done all that it was to do.
  bool finished() const { return worker_.reached_limit(answered_) || worker_.finishing(); }

 private:
  bool send(size_t flow, uint64_t now, uint64_t start);
  uint64_t next_tag(size_t flow);
  std::optional<UnderWay::Request> request_of(size_t flow, const uint8_t* data, size_t size);
  bool give_up(size_t flow, uint64_t now);

  Worker& worker_;
  const int send_flags_;
  const uint64_t patience_ns_;
  const size_t tag_bytes_;
  const uint64_t tag_mask_;
  std::vector<UnderWay> flows_;
  std::optional<OpenLoop> open_;
  uint64_t last_tag_ = 0;
  uint64_t look_at_;
  uint64_t answered_ = 0;
};

// The server's answer: the response begins as the request did. Counted.
void answer(Worker& worker, size_t flow, const uint8_t* request, size_t size, int flags);

}  // namespace cnb::udp_rr
