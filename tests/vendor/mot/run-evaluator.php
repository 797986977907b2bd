<?php
// How evaluator-results.json was made: the tool's own classes, unchanged, over every record, with stubs of the framework around them.
// Run in a checkout of https://github.com/lfai/model_openness_tool at 8b5d30e90a7c, beside records.json (file name -> `release` of each
// record of models/ and Test_Data/) and settings.json (mof.settings.yml); both are the YAML as JSON. PHP 8 (@php-wasm/cli will do).
namespace Drupal\Core\Entity { interface EntityTypeManagerInterface {} interface EntityStorageInterface{} }
namespace Drupal\Core\StringTranslation { trait StringTranslationTrait { function t($s){return new TranslatableMarkup($s);} } class TranslatableMarkup { function __construct(public $s){} } }
namespace Drupal\Core\Config { interface ConfigFactoryInterface {} }
namespace Drupal\user { interface UserStorageInterface{} interface UserInterface{} }
namespace Drupal\mof\Entity { class Model { const STATUS_APPROVED='approved'; } }
namespace Drupal\mof {
 interface ModelInterface {} 
 interface ComponentInterface {} interface ComponentManagerInterface {} interface LicenseHandlerInterface {} interface ModelEvaluatorInterface {} 
}
namespace {
 $w=__DIR__.'/'; $b=$w.'web/modules/mof/src/';
 foreach(['Component','ComponentManager','LicenseHandler','ModelEvaluator','ModelUpdater'] as $f) require $b.$f.'.php';
 class Cfg implements Drupal\Core\Config\ConfigFactoryInterface { function get($n){return new class { function get($k){ return json_decode(file_get_contents($GLOBALS['w'].'settings.json'),true)['components'];}}; } }
 class Lic { function __construct(public $d){} function __toString():string{return $this->d['licenseId'];} function getLicenseId():string{return $this->d['licenseId'];} function isOsiApproved():bool{return (bool)($this->d['isOsiApproved']??false);} function isFsfApproved():bool{return (bool)($this->d['isFsfLibre']??'');} function isDeprecated():bool{return (bool)$this->d['isDeprecatedLicenseId'];} function getContentType():array{$c=$this->d['ContentType']??''; return is_array($c)?$c:($c?[$c]:[]);} }
 class ETM implements Drupal\Core\Entity\EntityTypeManagerInterface { function getStorage($n){ return new class implements Drupal\Core\Entity\EntityStorageInterface, Drupal\user\UserStorageInterface { function loadMultiple(){ $o=[]; foreach(['licenses.json','mof-licenses.json'] as $f){ foreach(json_decode(file_get_contents($GLOBALS['w'].'web/modules/mof/'.$f),true)['licenses'] as $l) $o[$l['licenseId']]=new Lic($l);} return $o; } }; } }
 class M implements Drupal\mof\ModelInterface { public $v=[]; function set($k,$x){$this->v[$k]=$x;} function setStatus($s){} function save(){return 1;} function getComponents(){return $this->v['components'];} function getLicenses(){return $this->v['license_data']['licenses'];} }
 $etm=new ETM; $cm=new Drupal\mof\ComponentManager(new Cfg); $lh=new Drupal\mof\LicenseHandler($etm);
 $up=new Drupal\mof\ModelUpdater($etm,$cm); $ev=new Drupal\mof\ModelEvaluator($etm,$cm,$lh);
 $out=[];
 foreach(json_decode(file_get_contents($GLOBALS['w'].'records.json'),true) as $name=>$rec){
  try { $m=new M; $up->update($m,$rec); $ev->setModel($m); $e=$ev->evaluate();
   $o=['class'=>$ev->getClassification(false)]; foreach([1,2,3] as $c) $o['progress'][$c]=$ev->getProgress($c);
   foreach(['missing','included','invalid','unlicensed','optional'] as $k) $o[$k]=array_map(fn($i)=>$cm->getComponent($i)->name,$e[1]['components'][$k]);
   $o['not-type-appropriate']=array_map(fn($i)=>$cm->getComponent($i)->name,$e['not-type-appropriate']);
   $out[$name]=$o;
  } catch(\Throwable $t){ $out[$name]=['error'=>get_class($t).': '.$t->getMessage()]; }
 }
 file_put_contents($GLOBALS['w'].'results.json', json_encode($out, JSON_PRETTY_PRINT|JSON_UNESCAPED_SLASHES|JSON_UNESCAPED_UNICODE));
 echo count($out),"\n";
 $open=[]; foreach($lh->licenses as $id=>$l){ if($lh->isOpenSourceLicense($id)) $open[]=$id; } echo count($open),"\n";
}
