#include "loops/schedule.h"

#include <cmath>
#include <cstring>

namespace cnb {

namespace {

// Flows of a session differ by their number, sessions by their cookie, which is random. SplitMix64 makes numbers that
// have nothing in common of neighbouring ones (Steele, Lea, Flood: Fast splittable pseudorandom number generators,
// 2014).
uint64_t seed_of(const Plan& plan, size_t flow) {
  uint64_t z;
  std::memcpy(&z, plan.cookie.data(), sizeof z);
  z += (flow + 1) * 0x9e3779b97f4a7c15u;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return (z ^ (z >> 31)) | 1;  // xorshift never leaves 0
}

}  // namespace

Schedule::Schedule(const Plan& plan, size_t flow, uint64_t start)
    : start_(start),
      mean_gap_(1e9 * plan.flows / static_cast<double>(plan.rate)),
      constant_(plan.spacing == Spacing::constant),
      state_(seed_of(plan, flow)),
      offset_(constant_ ? uniform() * mean_gap_ : gap()) {}

uint64_t Schedule::due_until(uint64_t at) const {
  if (due() > at) return 0;
  return 1 + static_cast<uint64_t>(static_cast<double>(at - due()) / mean_gap_);
}

double Schedule::gap() { return constant_ ? mean_gap_ : -std::log(uniform()) * mean_gap_; }

// From above 0 up to 1, by xorshift64* (Vigna: An experimental exploration of Marsaglia's xorshift generators, 2016).
double Schedule::uniform() {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return static_cast<double>(((state_ * 0x2545f4914f6cdd1du) >> 11) + 1) * 0x1p-53;
}

}  // namespace cnb
