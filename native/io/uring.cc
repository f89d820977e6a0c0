#include "io/uring.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

#include "core/error.h"
#include "io/uring_requests.h"

namespace cnb {

namespace {

constexpr uint32_t kFlags = IORING_SETUP_CQSIZE | IORING_SETUP_CLAMP | uring::kSetupSubmitAll |
                            uring::kSetupSingleIssuer | uring::kSetupDeferTaskrun;
constexpr uint32_t kMostBuffers = 32768;

Fd set_up(uint32_t requests, io_uring_params& params) {
  params.flags = kFlags;
  return Fd(checked(static_cast<int>(syscall(uring::kSetup, requests, &params)), "io_uring_setup"));
}

// Uses once what the loops use, since filters may let one call pass and not another.
void try_out() {
  Ring ring(4, 4);
  const Buffer data(64);
  ring.provide_buffer(data, data.size(), 4);
  ring.register_slots(1);
  ring.next(0).opcode = IORING_OP_NOP;
  ring.submit_and_wait();
}

// Of /proc/sys/kernel/io_uring_disabled, 0 where the kernel has no such setting.
int kernel_setting() {
  const Fd file(::open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC));
  char digit = '0';
  if (!file.valid() || ::read(file.get(), &digit, 1) != 1) return 0;
  return digit - '0';
}

std::string why_forbidden(const std::string& call) {
  const int disabled = kernel_setting();
  if (disabled == 2) return "io_uring is switched off on this host (kernel.io_uring_disabled = 2)";
  if (disabled == 1) {
    return "io_uring is reserved for privileged processes and one group on this host (kernel.io_uring_disabled = 1)";
  }
  return call + " is forbidden here, perhaps by a container's seccomp profile";
}

}  // namespace

std::string uring_unavailable_reason() {
  try {
    try_out();
    return "";
  } catch (const SystemError& error) {
    switch (error.err()) {
      case ENOSYS:
        return "this kernel has no io_uring, or a sandbox hides it";
      case EINVAL:
        return "this kernel's io_uring lacks features that need Linux 6.1";
      case EPERM:
      case EACCES:
        return why_forbidden(error.syscall());
      default:
        return error.what();
    }
  }
}

// An operation or a flag that the kernel does not know is found before the descriptor is missed.
std::string uring_zerocopy_unavailable_reason() {
  try {
    Ring ring(4, 4);
    uring::send_zerocopy(ring.next(0), {-1, false}, nullptr, 0);
    ring.next(0).opcode = IORING_OP_NOP;
    ring.submit_and_wait();
    bool refused = false;
    ring.reap([&](const Completion& done) {
      refused = refused || done.result == -EINVAL;
      return true;
    });
    return refused
               ? "this kernel's io_uring cannot tell which zero-copy sends were copied after all, which needs Linux 6.2"
               : "";
  } catch (const SystemError& error) {
    return error.what();
  }
}

Ring::Mapping::Mapping(int ring, size_t bytes, uint64_t what) : bytes_(bytes) {
  void* memory =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, static_cast<off_t>(what));
  if (memory == MAP_FAILED) throw_errno("mmap", "io_uring");
  data_ = static_cast<uint8_t*>(memory);
}

Ring::Mapping::~Mapping() {
  if (data_) munmap(data_, bytes_);
}

Ring::Mapping& Ring::Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Ring::Ring(uint32_t requests, uint32_t completions) {
  io_uring_params params{};
  params.cq_entries = std::max(requests, completions);
  fd_ = set_up(requests, params);
  // One mapping holds both rings (IORING_FEAT_SINGLE_MMAP, Linux 5.4).
  const size_t submissions = params.sq_off.array + params.sq_entries * sizeof(uint32_t);
  const size_t results = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
  rings_ = Mapping(fd_.get(), std::max(submissions, results), IORING_OFF_SQ_RING);
  entries_ = Mapping(fd_.get(), params.sq_entries * sizeof(io_uring_sqe), IORING_OFF_SQES);
  shared_sq_head_ = &rings_.word(params.sq_off.head);
  shared_sq_tail_ = &rings_.word(params.sq_off.tail);
  shared_cq_head_ = &rings_.word(params.cq_off.head);
  shared_cq_tail_ = &rings_.word(params.cq_off.tail);
  sqes_ = reinterpret_cast<io_uring_sqe*>(entries_.at(0));
  cqes_ = reinterpret_cast<io_uring_cqe*>(rings_.at(params.cq_off.cqes));
  sq_entries_ = params.sq_entries;
  cq_mask_ = params.cq_entries - 1;
  // Entries are used in order, so the level of indirection between ring and entries is filled in once.
  auto* order = reinterpret_cast<uint32_t*>(rings_.at(params.sq_off.array));
  for (uint32_t i = 0; i < sq_entries_; i++) order[i] = i;
}

Ring::~Ring() {
  uring::SyncCancel all{};
  all.fd = -1;
  all.flags = uring::kCancelAny | uring::kCancelAll;
  all.timeout_seconds = -1;
  all.timeout_ns = -1;
  // The result is how many there were. What is cancelled ends when this thread enters the kernel next.
  while (syscall(uring::kRegister, fd_.get(), uring::kRegisterSyncCancel, &all, 1) > 0) {
    syscall(uring::kEnter, fd_.get(), 0, 0, IORING_ENTER_GETEVENTS, nullptr, 0);
  }
  // Closing releases files in a kernel thread some time later; sockets should be gone when their session is.
  syscall(uring::kRegister, fd_.get(), IORING_UNREGISTER_FILES, nullptr, 0);
}

io_uring_sqe& Ring::next(uint64_t tag) {
  reserve(1);
  io_uring_sqe& entry = sqes_[sq_tail_++ & (sq_entries_ - 1)];
  std::memset(&entry, 0, sizeof entry);
  entry.user_data = tag;
  return entry;
}

void Ring::submit_and_wait(uint64_t timeout_ns) {
  if (timeout_ns == 0) return enter(1, nullptr);
  const uring::Timespec timeout{static_cast<int64_t>(timeout_ns / 1'000'000'000),
                                static_cast<int64_t>(timeout_ns % 1'000'000'000)};
  uring::GetEventsArg argument{};
  argument.timeout = reinterpret_cast<uint64_t>(&timeout);
  enter(1, &argument);
}

void Ring::enter(uint32_t wait_for, const uring::GetEventsArg* argument) {
  sq_tail().store(sq_tail_, std::memory_order_release);
  const uint32_t waiting = sq_tail_ - sq_head().load(std::memory_order_acquire);
  const uint32_t flags = IORING_ENTER_GETEVENTS | (argument ? uring::kEnterExtArg : 0);
  const long result =
      syscall(uring::kEnter, fd_.get(), waiting, wait_for, flags, argument, argument ? sizeof *argument : 0);
  // ETIME: the timeout has passed. EINTR: a tracer has attached.
  if (result < 0 && errno != ETIME && errno != EINTR) throw_errno("io_uring_enter");
}

void Ring::register_with(uint32_t operation, void* argument, uint32_t count, const char* what) {
  checked(static_cast<int>(syscall(uring::kRegister, fd_.get(), operation, argument, count)), what);
}

void Ring::register_files(std::span<const int> fds) {
  uring::FilesRegistration files{};
  files.count = static_cast<uint32_t>(fds.size());
  files.files = reinterpret_cast<uint64_t>(fds.data());
  register_with(uring::kRegisterFiles2, &files, sizeof files, "io_uring_register");
}

void Ring::register_slots(uint32_t count) {
  uring::FilesRegistration files{};
  files.count = count;
  files.flags = uring::kRegisterFilesSparse;
  register_with(uring::kRegisterFiles2, &files, sizeof files, "io_uring_register");
}

void Ring::register_buffer(const Buffer& data) {
  iovec all{data.data(), data.size()};
  try {
    register_with(IORING_REGISTER_BUFFERS, &all, 1, "io_uring_register");
  } catch (const SystemError& error) {
    if (error.err() != ENOMEM) throw;
    const std::string size = std::to_string((data.size() + 1023) / 1024);
    throw std::runtime_error("zero-copy sends of a worker with io_uring need " + size +
                             " KiB of locked memory, more than this user's limit leaves; raise RLIMIT_MEMLOCK "
                             "(ulimit -l), use fewer flows or smaller sends, or engine epoll");
  }
}

// Failing, it leaves that to the ring's end.
void Ring::unregister_buffer() { syscall(uring::kRegister, fd_.get(), IORING_UNREGISTER_BUFFERS, nullptr, 0); }

void Ring::provide_buffer(const Buffer& data, size_t size, uint32_t count) {
  const uint32_t entries = std::min(std::bit_ceil(count), kMostBuffers);
  buffers_ = Buffer(entries * sizeof(uring::ProvidedBuffer));
  auto* ring = reinterpret_cast<uring::ProvidedBuffer*>(buffers_.data());
  for (uint32_t i = 0; i < entries; i++) {
    ring[i] = {reinterpret_cast<uint64_t>(data.data()), static_cast<uint32_t>(size), static_cast<uint16_t>(i), 0};
  }
  shared_buffer_tail_ = &ring[0].reserved;
  uring::BufferRingRegistration registration{};
  registration.ring = reinterpret_cast<uint64_t>(ring);
  registration.entries = entries;
  registration.group = kBufferGroup;
  register_with(uring::kRegisterBufferRing, &registration, 1, "io_uring_register");
  buffer_tail_ = static_cast<uint16_t>(entries);
  buffer_tail().store(buffer_tail_, std::memory_order_release);
}

}  // namespace cnb
