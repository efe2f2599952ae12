import Foundation

/// Seconds of the processor that this thread has had: on a busy machine what work costs, not how long it waits.
package enum ThreadTime {
  package static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}
