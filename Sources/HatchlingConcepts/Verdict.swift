/// What a detector turned out to be.
public enum Verdict: String, Sendable, Codable, CaseIterable {
  /// It answers to words of the concept that the search never saw.
  case concept
  /// It answers to the words that it was chosen for, in new sentences too, and not to others of the concept.
  case wordDetector = "word detector"
  /// Letters tell the sentences apart as well.
  case letterDetector = "letter detector"
  case nothing

  /// The evidence of a detector that was chosen by the search alone.
  public struct Evidence: Sendable, Equatable {
    /// How often a search among sentences with permuted labels found as large an AUC.
    public var searchP: Double
    /// The same where whole words were permuted; nil without words.
    public var wordSearchP: Double?
    /// On new sentences with the words of the search: AUC, and p of the rank sum with sentences as the unit.
    public var newAUC: Double
    public var newP: Double
    /// On words that the search never saw: the mean of the words' AUCs, and p of their signed ranks; nil where no words are held out.
    public var heldOutAUC: Double?
    public var heldOutP: Double?
    /// The largest AUC of the best n-gram, the best one in the window and the best of capitals and length, all chosen by the search, on the
    /// same sentences.
    public var lettersNewAUC: Double
    public var lettersHeldOutAUC: Double?

    public init(
      searchP: Double, wordSearchP: Double?, newAUC: Double, newP: Double, heldOutAUC: Double?,
      heldOutP: Double?, lettersNewAUC: Double, lettersHeldOutAUC: Double?
    ) {
      (self.searchP, self.wordSearchP, self.newAUC, self.newP) = (searchP, wordSearchP, newAUC, newP)
      (self.heldOutAUC, self.heldOutP) = (heldOutAUC, heldOutP)
      (self.lettersNewAUC, self.lettersHeldOutAUC) = (lettersNewAUC, lettersHeldOutAUC)
    }
  }

  /// The level of every test.
  public static let level = 0.05
  /// Letters explain a detector unless its AUC is larger by more than this.
  public static let margin = 0.05

  /// How much of the AUC above chance must carry over to words that the search never saw.
  public static let carriedOver = 0.5

  /// The decision rule.
  ///
  /// 1. *Nothing*, unless the search beats its permuted labels and the detector passes on new sentences.
  /// 2. Held-out words pass if their mean AUC is above 0.5 with p ≤ 0.05, words as the unit, if it lies at least half as far above 0.5 as that
  ///    on new sentences, so that most of what the detector knows is not the words it was chosen for, and if the search beats permuted words
  ///    as well. Then it is a *concept*, or a *letter detector* if letters do as well on those words.
  /// 3. Else it is a *letter detector* if letters do as well on the new sentences, and a *word detector* if not.
  ///
  /// What is not a number passes nothing and explains everything.
  public init(_ evidence: Evidence) {
    func explains(_ letters: Double?, _ own: Double) -> Bool { !(own - (letters ?? .nan) > Self.margin) }
    guard evidence.searchP <= Self.level, evidence.newP <= Self.level, evidence.newAUC > 0.5 else {
      self = .nothing
      return
    }
    if let auc = evidence.heldOutAUC, let p = evidence.heldOutP, p <= Self.level,
      auc > 0.5, auc - 0.5 >= Self.carriedOver * (evidence.newAUC - 0.5),
      let words = evidence.wordSearchP, words <= Self.level
    {
      self = explains(evidence.lettersHeldOutAUC, auc) ? .letterDetector : .concept
    } else {
      self = explains(evidence.lettersNewAUC, evidence.newAUC) ? .letterDetector : .wordDetector
    }
  }
}
