import Testing

@testable import HatchlingConcepts

/// Every branch of the decision rule.
@Suite struct VerdictTests {
  private static let concept = Verdict.Evidence(
    searchP: 0.01, wordSearchP: 0.02, newAUC: 0.95, newP: 1e-9, heldOutAUC: 0.9, heldOutP: 0.03,
    lettersNewAUC: 0.6, lettersHeldOutAUC: 0.55)

  private func verdict(_ change: (inout Verdict.Evidence) -> Void) -> Verdict {
    var evidence = Self.concept
    change(&evidence)
    return Verdict(evidence)
  }

  @Test func heldOutWordsMakeAConcept() {
    #expect(Verdict(Self.concept) == .concept)
    #expect(
      verdict { ($0.searchP, $0.wordSearchP, $0.newP, $0.heldOutP) = (0.05, 0.05, 0.05, 0.05) } == .concept)
  }

  @Test func withoutThemItIsAWordDetector() {
    #expect(verdict { $0.heldOutP = 0.06 } == .wordDetector)
    #expect(verdict { $0.heldOutAUC = 0.4 } == .wordDetector)
    // Less than half of what is above chance on new sentences.
    #expect(verdict { $0.heldOutAUC = 0.72 } == .wordDetector)
    #expect(verdict { $0.heldOutAUC = 0.73 } == .concept)
    #expect(verdict { $0.wordSearchP = 0.06 } == .wordDetector)
    #expect(verdict { $0.wordSearchP = nil } == .wordDetector)
    #expect(verdict { ($0.heldOutAUC, $0.heldOutP) = (nil, nil) } == .wordDetector)
  }

  @Test func lettersExplain() {
    #expect(verdict { $0.lettersHeldOutAUC = 0.86 } == .letterDetector)
    #expect(verdict { $0.lettersHeldOutAUC = 0.84 } == .concept)
    // What explains the new sentences explains a word detector, and no concept.
    #expect(verdict { $0.lettersNewAUC = 0.95 } == .concept)
    #expect(verdict { ($0.lettersNewAUC, $0.heldOutP) = (0.95, 0.5) } == .letterDetector)
    #expect(verdict { ($0.lettersNewAUC, $0.heldOutP) = (0.89, 0.5) } == .wordDetector)
  }

  @Test func otherwiseItIsNothing() {
    #expect(verdict { $0.searchP = 0.06 } == .nothing)
    #expect(verdict { $0.newP = 0.06 } == .nothing)
    #expect(verdict { $0.newAUC = 0.5 } == .nothing)
  }

  @Test func whatIsNoNumberPassesNothing() {
    #expect(verdict { $0.searchP = .nan } == .nothing)
    #expect(verdict { $0.newP = .nan } == .nothing)
    #expect(verdict { $0.newAUC = .nan } == .nothing)
    #expect(verdict { $0.heldOutP = .nan } == .wordDetector)
    #expect(verdict { $0.heldOutAUC = .nan } == .wordDetector)
    #expect(verdict { $0.wordSearchP = .nan } == .wordDetector)
    #expect(verdict { $0.lettersHeldOutAUC = .nan } == .letterDetector)
    #expect(verdict { $0.lettersHeldOutAUC = nil } == .letterDetector)
    #expect(verdict { ($0.lettersNewAUC, $0.heldOutP) = (.nan, 0.5) } == .letterDetector)
  }
}
