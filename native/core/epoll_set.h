#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstdint>
#include <span>

#include "core/error.h"
#include "core/fd.h"

namespace cnb {

// An epoll instance with room for one batch of events. Tags are the caller's.
class EpollSet {
 public:
  EpollSet() : fd_(checked(epoll_create1(EPOLL_CLOEXEC), "epoll_create1")) {}

  // Readable when there is something to wait for.
  int fd() const { return fd_.get(); }
  void add(int fd, uint32_t events, uint64_t tag) { control(EPOLL_CTL_ADD, fd, events, tag); }
  void modify(int fd, uint32_t events, uint64_t tag) { control(EPOLL_CTL_MOD, fd, events, tag); }
  // Closing a descriptor removes it as well.
  void remove(int fd) { epoll_ctl(fd_.get(), EPOLL_CTL_DEL, fd, nullptr); }

  // Empty when `timeout_ms` passed (-1: never) or a signal came. Valid until the next call.
  std::span<const epoll_event> wait(int timeout_ms) {
    const int n = epoll_wait(fd_.get(), events_.data(), static_cast<int>(events_.size()), timeout_ms);
    if (n < 0 && errno != EINTR) throw_errno("epoll_wait");
    return {events_.data(), n < 0 ? 0 : static_cast<size_t>(n)};
  }

 private:
  void control(int operation, int fd, uint32_t events, uint64_t tag) {
    epoll_event event{};
    event.events = events;
    event.data.u64 = tag;
    checked(epoll_ctl(fd_.get(), operation, fd, &event), "epoll_ctl");
  }

  Fd fd_;
  std::array<epoll_event, 256> events_;
};

}  // namespace cnb
