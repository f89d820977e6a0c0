#pragma once

#include <cerrno>
#include <stdexcept>
#include <string>
#include <utility>

namespace cnb {

// A failed system call: which one, its errno and the address it was about ("" where there is none).
class SystemError : public std::runtime_error {
 public:
  SystemError(std::string syscall, int err, std::string address = {});

  const std::string& syscall() const { return syscall_; }
  int err() const { return err_; }
  const std::string& address() const { return address_; }

 private:
  std::string syscall_;
  int err_;
  std::string address_;
};

[[noreturn]] void throw_errno(const char* syscall, std::string address = {});

// Passes a system call's result through, throwing on -1.
inline int checked(int result, const char* syscall) {
  if (result < 0) throw_errno(syscall);
  return result;
}

// What ended a session early. `err` is 0 where no call failed; `reason` then says why.
struct Fault {
  enum class Reason { none, system_call, peer_closed, timeout };

  Reason reason = Reason::none;
  std::string phase;
  std::string syscall;
  int err = 0;
  std::string address;
  std::string message;

  explicit operator bool() const { return reason != Reason::none; }
};

Fault fault_of(const char* phase, const SystemError& error);

}  // namespace cnb
