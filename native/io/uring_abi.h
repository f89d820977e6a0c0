#pragma once

// What io_uring(7) has gained since Linux 5.11, under names of our own: the kernel that runs decides what can be used,
// not the headers that this was built with. Values are those of include/uapi/linux/io_uring.h.

#include <linux/io_uring.h>
#include <sys/syscall.h>

#include <cstdint>

namespace cnb::uring {

// The same number on every architecture but alpha.
#ifdef SYS_io_uring_setup
constexpr long kSetup = SYS_io_uring_setup;
constexpr long kEnter = SYS_io_uring_enter;
constexpr long kRegister = SYS_io_uring_register;
#else
constexpr long kSetup = 425;
constexpr long kEnter = 426;
constexpr long kRegister = 427;
#endif

// io_uring_setup flags, and the Linux version that brought each.
constexpr uint32_t kSetupSubmitAll = 1u << 7;      // 5.18
constexpr uint32_t kSetupSingleIssuer = 1u << 12;  // 6.0
constexpr uint32_t kSetupDeferTaskrun = 1u << 13;  // 6.1
constexpr uint32_t kEnterExtArg = 1u << 3;         // 5.11

// Operations.
constexpr uint8_t kOpSocket = 45;  // 5.19
constexpr uint8_t kOpSendZc = 47;  // 6.0

// io_uring_register operations.
constexpr uint32_t kRegisterFiles2 = 13;      // 5.13
constexpr uint32_t kRegisterBufferRing = 22;  // 5.19
constexpr uint32_t kRegisterSyncCancel = 24;  // 6.0
constexpr uint32_t kRegisterFilesSparse = 1u << 0;

// Flags of entries.
constexpr uint8_t kSkipSuccess = 1u << 6;        // 5.17: no completion where all went well
constexpr uint16_t kReceiveMultishot = 1u << 1;  // 6.0
constexpr uint16_t kFixedBuffer = 1u << 2;       // 6.0
constexpr uint16_t kReportUsage = 1u << 3;       // 6.2
constexpr uint32_t kCancelAll = 1u << 0;
constexpr uint32_t kCancelFd = 1u << 1;
constexpr uint32_t kCancelAny = 1u << 2;
constexpr uint32_t kCancelFdFixed = 1u << 3;

// Flags of completions.
constexpr uint32_t kCompletionMore = 1u << 1;
constexpr uint32_t kCompletionNotification = 1u << 3;  // 6.0
// In a notification's result.
constexpr uint32_t kUsageCopied = 1u << 31;  // 6.2

struct Timespec {
  int64_t seconds;
  int64_t ns;
};

struct GetEventsArg {
  uint64_t signal_mask;
  uint32_t signal_mask_size;
  uint32_t pad;
  uint64_t timeout;
};

struct FilesRegistration {
  uint32_t count;
  uint32_t flags;
  uint64_t reserved;
  uint64_t files;
  uint64_t tags;
};

struct ProvidedBuffer {
  uint64_t address;
  uint32_t size;
  uint16_t id;
  uint16_t reserved;  // of the first one: the ring's tail
};

struct BufferRingRegistration {
  uint64_t ring;
  uint32_t entries;
  uint16_t group;
  uint16_t flags;
  uint64_t reserved[3];
};

struct SyncCancel {
  uint64_t data;
  int32_t fd;
  uint32_t flags;
  int64_t timeout_seconds;
  int64_t timeout_ns;
  uint64_t reserved[4];
};

}  // namespace cnb::uring
