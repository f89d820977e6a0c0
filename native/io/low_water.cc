#include "io/low_water.h"

#include <sys/socket.h>

#include <algorithm>
#include <bit>

#include "core/socket.h"

namespace cnb {

namespace {

// Marks below this save nothing.
constexpr size_t kLeast = 8 * 1024;

}  // namespace

// A receive takes all that has come, which is more than the mark: half the buffer leaves room for that. A spinning
// receiver is not woken at all, and of a receive buffer whose size was given nothing is held back.
LowWater::LowWater(const Worker& worker) : most_(worker.plan().recv_size / 2) {
  const Plan& plan = worker.plan();
  if (plan.rx_lowat == kAutomatic && plan.engine != Engine::spin && plan.rcvbuf == 0) {
    flows_.assign(worker.flow_count(), Flow{.since = now_ns()});
  }
}

void LowWater::adjust(int fd, Flow& one, uint64_t now) const {
  const size_t held = static_cast<size_t>(one.bytes * kHoldNs / (now - one.since));
  one.since = now;
  one.bytes = 0;
  // The sender is not to wait for a window that is full of what nobody was woken for.
  const auto room = static_cast<size_t>(get_int(fd, SOL_SOCKET, SO_RCVBUF, "SO_RCVBUF")) / 4;
  const size_t target = std::min({held, most_, room});
  const int mark = target < kLeast ? 1 : static_cast<int>(std::bit_floor(target));
  if (mark == one.mark) return;
  set_int(fd, SOL_SOCKET, SO_RCVLOWAT, mark, "SO_RCVLOWAT");
  one.mark = mark;
}

}  // namespace cnb
