#pragma once

#include <cstddef>
#include <cstdint>

namespace cnb {

// What a spinning worker does when none of its flows had anything for it.
//
// On a CPU of its own it just tries again. On one that it shares with its peer that would keep the peer from ever
// answering until the scheduler steps in, so it yields; whom the CPU went to meanwhile shows in how long that took.
// Where somebody ran for about as long as a transaction takes, the next fruitless try yields at once; where nobody did,
// ever more tries pass between two yields. One that kept the CPU for longer is no peer but a program that computes, and
// giving way to it at every try would leave nothing to measure: for the scheduler's even share, yielding less is right.
class SpinPause {
 public:
  void after_something() { idle_ = 0; }
  // `tries`: calls that came back empty.
  void after_nothing(size_t tries) {
    idle_ += tries;
    if (idle_ >= patience_) give_way();
  }

 private:
  void give_way();

  size_t idle_ = 0;
  size_t patience_ = 1;
};

}  // namespace cnb
