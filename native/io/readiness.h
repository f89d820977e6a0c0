#pragma once

#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/worker.h"
#include "io/spin_pause.h"
#include "io/timer.h"

namespace cnb {

// Which descriptors a loop serves next, in two ways with one face, so that a loop is written once for both. Tags are
// small numbers, or kListenerTag.

constexpr uint64_t kListenerTag = UINT64_MAX - 1;

// Those that epoll reports; sleeps until there is one.
class EpollReadiness {
 public:
  explicit EpollReadiness(Worker& worker) : set_(worker.epoll()) { set_.add(worker.stop_event(), EPOLLIN, kWakeTag); }

  void watch(int fd, uint32_t events, uint64_t tag) { set_.add(fd, events, tag); }
  void change(int fd, uint32_t events, uint64_t tag) { set_.modify(fd, events, tag); }
  // The descriptor stays open.
  void forget(int fd, uint64_t) { set_.remove(fd); }
  // epoll forgets a closed descriptor by itself.
  void closed(uint64_t) {}
  // A descriptor that was served had something to do.
  void progress() {}
  // The next round ends at that time (ns of CLOCK_MONOTONIC; UINT64_MAX: never), if it has not before.
  void wake_at(uint64_t at) {
    if (!timer_ && at == UINT64_MAX) return;
    if (!timer_) {
      timer_ = std::make_unique<Timer>();
      // Edge-triggered, it need not be read: being set anew clears it.
      set_.add(timer_->fd(), EPOLLIN | EPOLLET, kWakeTag);
    }
    timer_->set(at);
  }

  // Waits at most `timeout_ms` (-1: for ever) and calls serve(tag, events) for each; false as soon as that returns
  // false.
  template <typename Serve>
  bool round(int timeout_ms, Serve serve) {
    for (const epoll_event& event : set_.wait(timeout_ms)) {
      if (event.data.u64 != kWakeTag && !serve(event.data.u64, event.events)) return false;
    }
    return true;
  }

 private:
  // What only ends the waiting.
  static constexpr uint64_t kWakeTag = UINT64_MAX;
  EpollSet& set_;
  std::unique_ptr<Timer> timer_;
};

// All of them, again and again, as if each were ready for all it is watched for; never sleeps.
class SpinReadiness {
 public:
  explicit SpinReadiness(const Worker&) {}

  void watch(int, uint32_t events, uint64_t tag) {
    if (tag == kListenerTag) {
      listening_ = true;
      return;
    }
    if (tag >= events_.size()) events_.resize(tag + 1);
    events_[tag] = events & kServed;
  }
  void change(int, uint32_t events, uint64_t tag) { events_[tag] = events & kServed; }
  void forget(int, uint64_t tag) { events_[tag] = 0; }
  void closed(uint64_t tag) {
    if (tag < events_.size()) events_[tag] = 0;
  }
  void progress() { progressed_ = true; }
  void wake_at(uint64_t) {}

  template <typename Serve>
  bool round(int, Serve serve) {
    progressed_ = false;
    size_t tries = 1;
    if (listening_ && !serve(kListenerTag, EPOLLIN)) return false;
    // By index: serving may watch more.
    for (size_t tag = 0; tag < events_.size(); tag++) {
      const uint32_t events = events_[tag];
      if (events == 0) continue;
      tries++;
      if (!serve(tag, events)) return false;
    }
    if (progressed_) {
      pause_.after_something();
    } else {
      pause_.after_nothing(tries);
    }
    return true;
  }

 private:
  // What can be tried; the others are hints that epoll alone has.
  static constexpr uint32_t kServed = EPOLLIN | EPOLLOUT | EPOLLERR;

  bool listening_ = false;
  bool progressed_ = false;
  // By tag; 0 where nothing is watched.
  std::vector<uint32_t> events_;
  SpinPause pause_;
};

}  // namespace cnb
