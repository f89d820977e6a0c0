#include "io/spin_pause.h"

#include <sched.h>

#include <algorithm>

#include "core/clock.h"

namespace cnb {

namespace {

// A yield that nobody takes up returns within a microsecond; a peer that answers needs several.
constexpr uint64_t kAloneNs = 2'000;
// The scheduler lets a program that computes run for milliseconds.
constexpr uint64_t kHogNs = 500'000;
constexpr size_t kMaxPatience = 64;

}  // namespace

void SpinPause::give_way() {
  idle_ = 0;
  const uint64_t before = now_ns();
  sched_yield();
  const uint64_t away = now_ns() - before;
  const bool shared = away > kAloneNs && away < kHogNs;
  patience_ = shared ? 1 : std::min(patience_ * 2, kMaxPatience);
}

}  // namespace cnb
