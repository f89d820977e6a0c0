#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/clock.h"
#include "engine/worker.h"

namespace cnb {

// A receiver's low-water marks (SO_RCVLOWAT) where they are left to it: each flow's follows its rate, so that the
// receiver is woken about once per kHoldNs and not for every few segments. A slow flow has none.
class LowWater {
 public:
  explicit LowWater(const Worker& worker);

  // After each receive of a flow.
  void took(int fd, size_t flow, size_t bytes) {
    if (flows_.empty()) return;
    Flow& one = flows_[flow];
    one.bytes += bytes;
    const uint64_t now = now_ns();
    if (now - one.since >= kLookNs) adjust(fd, one, now);
  }

 private:
  static constexpr uint64_t kHoldNs = 1'000'000;
  static constexpr uint64_t kLookNs = 10'000'000;

  struct Flow {
    uint64_t since;
    uint64_t bytes = 0;
    int mark = 1;
  };

  void adjust(int fd, Flow& one, uint64_t now) const;

  const size_t most_;
  std::vector<Flow> flows_;
};

}  // namespace cnb
