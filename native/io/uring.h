#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "core/buffer.h"
#include "core/fd.h"
#include "io/uring_abi.h"

namespace cnb {

// Why this process cannot use io_uring as the engine needs it (Linux 6.1), for people to read; empty where it can.
std::string uring_unavailable_reason();
// The same for zero-copy sends that tell whether they copied after all (Linux 6.2). Only where io_uring can be used.
std::string uring_zerocopy_unavailable_reason();

struct Completion {
  uint64_t tag;
  int32_t result;  // or a negative errno
  uint32_t flags;

  bool more() const { return (flags & uring::kCompletionMore) != 0; }
  // A zero-copy send's last one: its memory is free again.
  bool notification() const { return (flags & uring::kCompletionNotification) != 0; }
  bool copied() const { return (static_cast<uint32_t>(result) & uring::kUsageCopied) != 0; }
  bool took_buffer() const { return (flags & IORING_CQE_F_BUFFER) != 0; }
};

// A ring of one thread, which alone makes, uses and destroys it (IORING_SETUP_SINGLE_ISSUER): requests are collected
// and handed over together, and what they complete is worked off only when this thread asks (DEFER_TASKRUN), so that
// one system call carries a whole batch both ways.
//
// Nothing that the kernel may still write to or read from has to outlive the ring: its destructor cancels what is under
// way and waits for that. Zero-copy sends have their own reference to the pages (register_buffer).
class Ring {
 public:
  // Room for that many requests per batch, and for completions not yet seen. Throws SystemError.
  Ring(uint32_t requests, uint32_t completions);
  ~Ring();
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;

  // Makes room for a chain of linked requests, which must not be torn by a full batch.
  void reserve(uint32_t requests) {
    if (sq_tail_ - sq_head().load(std::memory_order_acquire) + requests > sq_entries_) submit();
  }
  // A cleared request to fill in; it goes to the kernel with the next submit.
  io_uring_sqe& next(uint64_t tag);

  void submit() { enter(0, nullptr); }
  // Returns when at least one completion is there or `timeout_ns` has passed (0 = never).
  void submit_and_wait(uint64_t timeout_ns = 0);

  // Calls serve(completion) for each that is there; false as soon as that returns false.
  template <typename Serve>
  bool reap(Serve serve) {
    for (;;) {
      if (cq_head_ == cq_tail().load(std::memory_order_acquire)) return true;
      const io_uring_cqe& entry = cqes_[cq_head_ & cq_mask_];
      const Completion completion{entry.user_data, entry.res, entry.flags};
      cq_head().store(++cq_head_, std::memory_order_release);
      if (!serve(completion)) return false;
    }
  }

  // Gives the ring its own references to files, by index; they end with the ring. Throws SystemError.
  void register_files(std::span<const int> fds);
  // An empty table for descriptors that requests make and close themselves.
  void register_slots(uint32_t count);

  // Pins memory once for all zero-copy sends from it, for as long as the ring lives or the kernel needs it: it may be
  // unmapped before. Throws std::runtime_error where the limit of locked memory is too low for it.
  void register_buffer(const Buffer& data);
  // Without it the memory counts as locked until some time after the ring is gone. Only when every send has been
  // notified of: kernels before 6.13 wait for that here.
  void unregister_buffer();

  // Lets receives take `size` bytes of `data` without saying when. All of them share that memory: what is received is
  // not looked at, and one buffer stays in the cache where many would not. Up to `count` completions may hold it at a
  // time.
  void provide_buffer(const Buffer& data, size_t size, uint32_t count);
  void give_back_buffer() {
    // The entries never change, so moving the tail hands the oldest one out again.
    buffer_tail().store(++buffer_tail_, std::memory_order_release);
  }
  static constexpr uint16_t kBufferGroup = 0;

 private:
  // Memory shared with the kernel.
  class Mapping {
   public:
    Mapping() = default;
    Mapping(int ring, size_t bytes, uint64_t what);
    ~Mapping();
    Mapping(const Mapping&) = delete;
    Mapping& operator=(Mapping&& other) noexcept;
    uint8_t* at(uint32_t offset) const { return data_ + offset; }
    uint32_t& word(uint32_t offset) const { return *reinterpret_cast<uint32_t*>(data_ + offset); }

   private:
    uint8_t* data_ = nullptr;
    size_t bytes_ = 0;
  };

  void enter(uint32_t wait_for, const uring::GetEventsArg* argument);
  void register_with(uint32_t operation, void* argument, uint32_t count, const char* what);

  std::atomic_ref<uint32_t> sq_head() { return std::atomic_ref(*shared_sq_head_); }
  std::atomic_ref<uint32_t> sq_tail() { return std::atomic_ref(*shared_sq_tail_); }
  std::atomic_ref<uint32_t> cq_head() { return std::atomic_ref(*shared_cq_head_); }
  std::atomic_ref<uint32_t> cq_tail() { return std::atomic_ref(*shared_cq_tail_); }
  std::atomic_ref<uint16_t> buffer_tail() { return std::atomic_ref(*shared_buffer_tail_); }

  Buffer buffers_;  // the ring of provided buffers, not their memory
  uint16_t* shared_buffer_tail_ = nullptr;
  uint16_t buffer_tail_ = 0;

  Fd fd_;
  Mapping rings_;
  Mapping entries_;
  uint32_t* shared_sq_head_ = nullptr;
  uint32_t* shared_sq_tail_ = nullptr;
  uint32_t* shared_cq_head_ = nullptr;
  uint32_t* shared_cq_tail_ = nullptr;
  io_uring_sqe* sqes_ = nullptr;
  io_uring_cqe* cqes_ = nullptr;
  uint32_t sq_entries_ = 0;
  uint32_t sq_tail_ = 0;  // of what was filled in; the kernel sees it with the next submit
  uint32_t cq_head_ = 0;
  uint32_t cq_mask_ = 0;
};

}  // namespace cnb
