#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/buffer.h"
#include "engine/recorder.h"

namespace cnb {

// Memory for the zero-copy sends of one worker, a slot for each in flight: until the kernel has let go of a send's
// pages they are not used again.
class SendSlots {
 public:
  // Covers a socket's autotuned send buffer (4 to 6 MiB) with the default send size.
  static constexpr uint32_t kSendsPerFlow = 64;

  static size_t count_for(size_t send_size, size_t flows);

  SendSlots(size_t send_size, Buffer memory);

  bool any() const { return !free_.empty(); }
  bool all_free() const { return free_.size() == count(); }
  uint32_t next() const { return free_.back(); }
  uint32_t take() {
    const uint32_t slot = free_.back();
    free_.pop_back();
    return slot;
  }
  void give_back(uint32_t slot) { free_.push_back(slot); }
  size_t count() const { return memory_.size() / send_size_; }
  const uint8_t* data(uint32_t slot) const { return memory_.data() + slot * send_size_; }
  size_t send_size() const { return send_size_; }
  const Buffer& memory() const { return memory_; }

 private:
  const size_t send_size_;
  Buffer memory_;
  std::vector<uint32_t> free_;
};

// How long a sender that stops waits for the kernel to say what became of its last zero-copy sends.
constexpr uint64_t kZerocopyDrainNs = 200'000'000;

// The send side of MSG_ZEROCOPY for the flows of one worker (Documentation/networking/msg_zerocopy.rst).
//
// The pages of a send belong to the kernel until its completion arrives on the socket's error queue. The pool therefore
// has one slot per send in flight, shared by all flows of the worker; without a free slot nothing is sent until
// completions free one. A completion also says whether the kernel avoided the copy or made one after all (loopback and
// veth always do).
class ZerocopyPool {
 public:
  ZerocopyPool(size_t send_size, size_t flows);

  // Sets SO_ZEROCOPY. Throws SystemError.
  void enable(int fd) const;

  bool can_send(size_t flow) const { return slots_.any() && in_flight(flow) < kSendsPerFlow; }
  size_t in_flight(size_t flow) const { return flows_[flow].next - flows_[flow].first; }

  // Sends one slot's worth: send(2)'s result. ENOBUFS means that the socket's optmem is full of notifications. Only
  // when can_send(); a send that took bytes is followed by sent(), which says where its fate is counted.
  ssize_t send(int fd, int flags) const;
  void sent(size_t flow, size_t bytes, ZerocopyCounters& counters);

  // Takes all completions that wait on a socket's error queue. Returns 0, or the socket's own error when there is one.
  int reap(int fd, size_t flow);

 private:
  static constexpr uint32_t kSendsPerFlow = SendSlots::kSendsPerFlow;

  struct Send {
    size_t bytes;
    uint32_t slot;
    bool done;
    ZerocopyCounters* counters;
  };
  struct Flow {
    // Sends as the kernel numbers them (32 bits, wrapping): the oldest in flight and the one after the newest.
    uint32_t first = 0;
    uint32_t next = 0;
    std::array<Send, kSendsPerFlow> sends;

    Send& at(uint32_t number) { return sends[number % kSendsPerFlow]; }
  };

  void complete(Flow& flow, uint32_t low, uint32_t high, bool copied);

  SendSlots slots_;
  std::vector<Flow> flows_;
};

}  // namespace cnb
