#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

// What a target gets, read from the front; where it has ended there are zeros.
namespace cnb::fuzz {

class Input {
 public:
  Input(const uint8_t* data, size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  uint8_t byte() { return empty() ? uint8_t{0} : bytes(1)[0]; }
  uint16_t word() {
    const uint16_t high = byte();
    return static_cast<uint16_t>(high << 8 | byte());
  }
  std::span<const uint8_t> bytes(size_t most) {
    const auto taken = rest_.first(std::min(most, rest_.size()));
    rest_ = rest_.subspan(taken.size());
    return taken;
  }

 private:
  std::span<const uint8_t> rest_;
};

// What must hold whatever comes; a sanitizer's report, with the stack, where it does not.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace cnb::fuzz
