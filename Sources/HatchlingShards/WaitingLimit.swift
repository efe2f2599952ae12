import Foundation
import HatchlingModel
import Synchronization

/// Notices that a rank has waited for the others for too long, and says why.
///
/// Only moments in which this process runs are counted, so that a job that is suspended as a whole and goes on later is not ended.
final class WaitingLimit: Sendable {
  /// Odd while an exchange goes on.
  private let exchanges = Atomic<UInt64>(0)

  func begin() { exchanges.add(1, ordering: .relaxed) }
  func end() { exchanges.add(1, ordering: .relaxed) }

  /// Starts to watch, on a thread of its own.
  ///
  /// - Parameter tell: what to do after so many seconds in one exchange; is not to return.
  func watch(seconds: Double, _ tell: @escaping @Sendable () -> Void) {
    let interval = min(0.25, seconds / 4)
    Thread { [self] in
      var (last, waited) = (UInt64(0), 0.0)
      while true {
        Thread.sleep(forTimeInterval: interval)
        let now = exchanges.load(ordering: .relaxed)
        waited = now == last && now % 2 == 1 ? waited + interval : 0
        last = now
        if waited >= seconds { return tell() }
      }
    }.start()
  }

  /// Which of the processes of this machine are stopped, by a signal or a debugger.
  static func areStopped(_ processes: [Int32]) -> [Bool] {
    processes.map { process in
      guard let text = try? String(contentsOfFile: "/proc/\(process)/stat", encoding: .utf8),
        let state = text.split(separator: ")").last?.split(separator: " ").first
      else { return false }
      return state == "T" || state == "t"
    }
  }
}

/// Where a rank runs.
struct RankPlace: Equatable, BitwiseCopyable {
  let process: Int32
  /// A hash of the machine's name and of when it was started.
  let machine: UInt64

  /// This process.
  static var here: RankPlace {
    let started = (try? String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)) ?? ""
    var hash = ContentHash()
    hash.begin()
    Array((ProcessInfo.processInfo.hostName + started).utf8).withUnsafeBytes { hash.update($0) }
    hash.end()
    return RankPlace(process: getpid(), machine: hash.value)
  }
}
