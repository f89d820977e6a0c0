#pragma once

#include <vector>

namespace cnb {

// From its making on the calling thread has a table of descriptors of its own, with copies of `kept` and of the
// standard streams alone. In a process with threads each system call on a descriptor of the common table takes a
// reference of the file and gives it back, two atomic operations that a table with one user does without (__fget_light
// in the kernel's fs/file.c).
//
// What is opened from then on is the thread's own as well. The table goes with the thread. Where the kernel refuses
// (before 5.9, or forbidden by seccomp) the table stays the common one.
class OwnDescriptors {
 public:
  explicit OwnDescriptors(std::vector<int> kept);
  // Closes the copies now, but for one: a thread that was joined may still have its table for a moment, and a socket
  // would outlive its session.
  void close_all_but(int fd);

 private:
  bool owned_;
};

}  // namespace cnb
